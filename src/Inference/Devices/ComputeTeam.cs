using System.Diagnostics;
using System.Runtime.ExceptionServices;

namespace Seq2Seq.Inference.Devices;

/// <summary>
/// The threads that compute together for one slot: the thread that enters, and workers that wait beside it. A kernel
/// cuts its work into chunks, and the team of the thread that calls it takes them one by one; so two slots never take each
/// other's cores, and a thread that entered no team computes alone.
/// </summary>
/// <remarks>
/// A step of a small model is some dozens of kernels of a few microseconds, so workers spin between kernels; after
/// <see cref="SpinMicroseconds"/> without work they park and cost nothing. The caller never waits for a worker to begin: if
/// the system gives the worker's core to somebody else, the caller finishes the chunks itself. Denormal floats are
/// flushed on every thread of a team.
/// </remarks>
internal sealed unsafe class ComputeTeam : IDisposable
{
    /// <summary>Longer than the pause between two kernels of a step, shorter than a scheduler's time slice by far.</summary>
    public const int SpinMicroseconds = 50;

    private const long Open = 1 << 15;
    private const long Active = Open - 1;
    private const int TicketShift = 16;

    private static readonly long SpinTicks = Stopwatch.Frequency * SpinMicroseconds / 1_000_000;

    [ThreadStatic]
    private static ComputeTeam? s_current;

    private readonly Thread[] _workers;
    private readonly ManualResetEventSlim[] _awake;

    // Ticket of the work | whether workers may join it | workers that have. The fields of the work are written only while
    // it is closed and nobody is active.
    private long _gate;
    private delegate* <void*, int, int, void> _body;
    private void* _state;
    private int _chunks;
    private int _nextChunk;
    private ExceptionDispatchInfo? _failure;
    private volatile bool _stopping;

    /// <param name="threads">Threads that compute, the entering one included.</param>
    /// <param name="name">Name of the workers in debuggers and dumps.</param>
    public ComputeTeam(int threads, string name)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(threads, (int)Active);
        _workers = new Thread[threads - 1];
        _awake = new ManualResetEventSlim[threads - 1];
        for (int i = 0; i < _workers.Length; i++)
        {
            ManualResetEventSlim awake = new(initialState: true, spinCount: 0);
            _awake[i] = awake;
            _workers[i] = new Thread(() => Work(awake)) { IsBackground = true, Name = $"{name} worker {i + 1}" };
            _workers[i].Start();
        }
    }

    /// <summary>Threads that compute, the entering one included.</summary>
    public int Count => _workers.Length + 1;

    /// <summary>Threads that a kernel called on this thread may use.</summary>
    public static int CurrentCount => s_current?.Count ?? 1;

    /// <summary>Makes this the calling thread's team until the result is disposed. One thread at a time may be inside.</summary>
    public Membership Enter()
    {
        Denormals.Flush();
        Membership membership = new(s_current);
        s_current = this;
        return membership;
    }

    /// <summary>
    /// Calls <paramref name="body"/> as (state, chunk, chunks) for each chunk, on the threads of the calling thread's team,
    /// and returns when all are done.
    /// </summary>
    public static void Run(delegate* <void*, int, int, void> body, void* state, int chunks)
    {
        if (chunks > 1 && s_current is { _workers.Length: > 0 } team)
        {
            team.RunTogether(body, state, chunks);
            return;
        }

        for (int chunk = 0; chunk < chunks; chunk++)
        {
            body(state, chunk, chunks);
        }
    }

    public void Dispose()
    {
        _stopping = true;
        WakeWorkers();
        foreach (Thread worker in _workers)
        {
            worker.Join();
        }

        foreach (ManualResetEventSlim awake in _awake)
        {
            awake.Dispose();
        }
    }

    private void RunTogether(delegate* <void*, int, int, void> body, void* state, int chunks)
    {
        _body = body;
        _state = state;
        _chunks = chunks;
        _nextChunk = 0;
        // A full fence: what was written above is seen by whoever sees the gate open; and the gate is seen open by a
        // worker that resets its event after we looked at it.
        Interlocked.Exchange(ref _gate, (((_gate >> TicketShift) + 1) << TicketShift) | Open);
        WakeWorkers();
        try
        {
            RunChunks();
        }
        finally
        {
            Close();
        }

        if (_failure is { } failure)
        {
            _failure = null;
            failure.Throw();
        }
    }

    private void RunChunks()
    {
        for (int chunk; (chunk = Interlocked.Increment(ref _nextChunk) - 1) < _chunks; )
        {
            _body(_state, chunk, _chunks);
        }
    }

    /// <summary>Lets nobody join any more, and waits for those who did.</summary>
    private void Close()
    {
        Interlocked.And(ref _gate, ~Open);
        long started = Stopwatch.GetTimestamp();
        while ((Volatile.Read(ref _gate) & Active) != 0)
        {
            Thread.SpinWait(1);
            if (Stopwatch.GetTimestamp() - started > SpinTicks)
            {
                // A worker with a chunk may wait for this very core.
                Thread.Yield();
            }
        }
    }

    private void WakeWorkers()
    {
        foreach (ManualResetEventSlim awake in _awake)
        {
            if (!awake.IsSet)
            {
                awake.Set();
            }
        }
    }

    private void Work(ManualResetEventSlim awake)
    {
        Denormals.Flush();
        long seen = 0;
        while (WaitForWork(awake, ref seen))
        {
            try
            {
                RunChunks();
            }
            catch (Exception exception)
            {
                _failure = ExceptionDispatchInfo.Capture(exception);
            }

            Interlocked.Decrement(ref _gate);
        }
    }

    /// <summary>Waits for work of another ticket and joins it; false when the team stops.</summary>
    private bool WaitForWork(ManualResetEventSlim awake, ref long seen)
    {
        long started = Stopwatch.GetTimestamp();
        while (!_stopping)
        {
            long gate = Volatile.Read(ref _gate);
            if ((gate & Open) != 0 && gate >> TicketShift != seen)
            {
                if (Interlocked.CompareExchange(ref _gate, gate + 1, gate) == gate)
                {
                    seen = gate >> TicketShift;
                    return true;
                }

                continue;
            }

            Thread.SpinWait(1);
            if (Stopwatch.GetTimestamp() - started > SpinTicks)
            {
                awake.Reset();
                if ((Volatile.Read(ref _gate) & Open) == 0 && !_stopping)
                {
                    awake.Wait();
                }

                started = Stopwatch.GetTimestamp();
            }
        }

        return false;
    }

    /// <summary>Gives the thread its former team back when disposed.</summary>
    public readonly ref struct Membership
    {
        private readonly ComputeTeam? _former;

        internal Membership(ComputeTeam? former) => _former = former;

        public void Dispose() => s_current = _former;
    }
}
