namespace Seq2Seq.Inference.Devices;

/// <summary>
/// Memory for the weights of one load, which a thread touches while the load waits for something else: the system gives a page
/// and zeroes it when it is first touched, which takes as long as filling it. From <see cref="Offer"/> on weights
/// lie there, one after the other; what none has taken is given back in the end.
/// </summary>
internal sealed unsafe class PreparedMemory : IDisposable
{
    private static readonly Lock _lock = new();
    private static readonly List<PreparedMemory> _offered = [];

    /// <summary>More is not touched while torch is loaded.</summary>
    private const long MostBytes = 1 << 30;

    private readonly Thread _toucher;
    private readonly byte* _end;
    private byte* _first;
    private volatile bool _isOver;

    private PreparedMemory(void* memory, nuint bytes)
    {
        _first = (byte*)memory;
        _end = _first + bytes;
        _toucher = new Thread(Touch) { IsBackground = true, Name = "touch weights' memory" };
        _toucher.Start();
    }

    /// <summary>Begins to touch memory.</summary>
    /// <param name="bytes">How much the weights will take, about.</param>
    /// <returns>Null where it is not worth a thread, or the system has no memory.</returns>
    public static PreparedMemory? Begin(long bytes)
    {
        nuint whole = (nuint)Math.Min(bytes, MostBytes) / HugePages.Size * HugePages.Size;
        if (!WeightMemory.IsSupported || whole == 0)
        {
            return null;
        }

        void* memory = WeightMemory.TryMap(whole);
        return memory is null ? null : new PreparedMemory(memory, whole);
    }

    /// <summary>Ends the touching. From now on weights may lie here.</summary>
    public void Offer()
    {
        _isOver = true;
        _toucher.Join();
        lock (_lock)
        {
            _offered.Add(this);
        }
    }

    /// <returns>The first byte of so many that nobody else has; null when no range has them.</returns>
    public static void* Take(nuint bytes)
    {
        lock (_lock)
        {
            foreach (PreparedMemory memory in _offered)
            {
                if ((nuint)(memory._end - memory._first) >= bytes)
                {
                    byte* taken = memory._first;
                    memory._first += bytes;
                    return taken;
                }
            }
        }

        return null;
    }

    public void Dispose()
    {
        _isOver = true;
        _toucher.Join();
        lock (_lock)
        {
            _offered.Remove(this);
        }

        if (_first < _end)
        {
            WeightMemory.Unmap(_first, (nuint)(_end - _first));
            _first = _end;
        }
    }

    private void Touch()
    {
        for (byte* page = _first; page < _end && !_isOver; page += Environment.SystemPageSize)
        {
            *page = 0;
        }
    }
}
