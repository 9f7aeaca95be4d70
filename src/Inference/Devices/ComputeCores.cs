namespace Seq2Seq.Inference.Devices;

/// <summary>
/// Cores that the models of a slot share. However many models have lines, no more loops than there are cores are in a step
/// at once; they take turns, in the order in which they came.
/// </summary>
public sealed class ComputeCores
{
    private readonly Lock _lock = new();
    private readonly Queue<ManualResetEventSlim> _waiting = [];
    private int _free;
    private int _atWork;

    /// <param name="count">Number of cores.</param>
    public ComputeCores(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        Count = count;
        _free = count;
    }

    public int Count { get; }

    /// <summary>Loops that wait for a core.</summary>
    internal int Waiting
    {
        get
        {
            lock (_lock)
            {
                return _waiting.Count;
            }
        }
    }

    /// <summary>Whether only one loop has lines, so that all cores are its.</summary>
    internal bool HasOneAtWork => Volatile.Read(ref _atWork) == 1;

    /// <summary>Counts the calling loop as one that has lines, until the result is disposed.</summary>
    internal Presence Work()
    {
        Interlocked.Increment(ref _atWork);
        return new Presence(this);
    }

    /// <summary>Waits for a core, and has it until the result is disposed.</summary>
    /// <param name="turn">The caller's own; set and reset here.</param>
    internal Turn Take(ManualResetEventSlim turn)
    {
        lock (_lock)
        {
            if (_free > 0)
            {
                _free--;
                return new Turn(this);
            }

            turn.Reset();
            _waiting.Enqueue(turn);
        }

        turn.Wait();
        return new Turn(this);
    }

    private void Give()
    {
        lock (_lock)
        {
            // The core goes from hand to hand: who gave it can't take it again before those who wait.
            if (_waiting.TryDequeue(out ManualResetEventSlim? next))
            {
                next.Set();
            }
            else
            {
                _free++;
            }
        }
    }

    /// <summary>A loop's having lines.</summary>
    internal readonly ref struct Presence(ComputeCores cores)
    {
        public void Dispose() => Interlocked.Decrement(ref cores._atWork);
    }

    /// <summary>A loop's having a core.</summary>
    internal readonly ref struct Turn(ComputeCores cores)
    {
        public void Dispose() => cores.Give();
    }
}
