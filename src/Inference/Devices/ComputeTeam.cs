using System.Diagnostics;
using System.Runtime.ExceptionServices;

namespace Seq2Seq.Inference.Devices;

/// <summary>
/// The threads that compute together for one slot: the thread that enters, and workers that wait beside it. A kernel
/// splits its work over the team of the thread that calls it, so that two slots never take each other's cores; a thread
/// that entered no team computes alone.
/// </summary>
/// <remarks>
/// A step of a small model is some dozens of kernels of a few microseconds, so workers spin between kernels; after
/// <see cref="SpinMicroseconds"/> without work they park and cost nothing. Denormal floats are flushed on every thread of
/// a team: small models meet them, and each costs a hundred cycles.
/// </remarks>
internal sealed unsafe class ComputeTeam : IDisposable
{
    /// <summary>Longer than the pause between two kernels of a step, shorter than a scheduler's time slice by far.</summary>
    public const int SpinMicroseconds = 50;

    private static readonly long SpinTicks = Stopwatch.Frequency * SpinMicroseconds / 1_000_000;

    [ThreadStatic]
    private static ComputeTeam? s_current;

    private readonly Thread[] _workers;
    private readonly ManualResetEventSlim[] _awake;
    private delegate* <void*, int, int, void> _body;
    private void* _state;
    private int _ticket;
    private int _pending;
    private bool _stopping;
    private ExceptionDispatchInfo? _failure;

    /// <param name="threads">Threads that compute, the entering one included.</param>
    /// <param name="name">Name of the workers in debuggers and dumps.</param>
    public ComputeTeam(int threads, string name)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        _workers = new Thread[threads - 1];
        _awake = new ManualResetEventSlim[threads - 1];
        for (int i = 0; i < _workers.Length; i++)
        {
            int part = i + 1;
            _awake[i] = new ManualResetEventSlim(initialState: true, spinCount: 0);
            _workers[i] = new Thread(() => Work(part)) { IsBackground = true, Name = $"{name} worker {part}" };
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
    /// Calls <paramref name="body"/> as (state, part, parts) once for each thread of the calling thread's team, at the
    /// same time, and returns when all are done.
    /// </summary>
    public static void Run(delegate* <void*, int, int, void> body, void* state)
    {
        if (s_current is { _workers.Length: > 0 } team)
        {
            team.RunTogether(body, state);
        }
        else
        {
            body(state, 0, 1);
        }
    }

    public void Dispose()
    {
        _stopping = true;
        Announce();
        foreach (Thread worker in _workers)
        {
            worker.Join();
        }

        foreach (ManualResetEventSlim awake in _awake)
        {
            awake.Dispose();
        }
    }

    private void RunTogether(delegate* <void*, int, int, void> body, void* state)
    {
        _body = body;
        _state = state;
        Volatile.Write(ref _pending, _workers.Length);
        Announce();
        try
        {
            body(state, 0, Count);
        }
        finally
        {
            WaitForWorkers();
        }

        if (_failure is { } failure)
        {
            _failure = null;
            failure.Throw();
        }
    }

    private void Announce()
    {
        // The full fence orders the ticket before the look at the event; a worker resets its event before it looks at
        // the ticket. So one of the two sees the other, and no wake-up is lost.
        Interlocked.Increment(ref _ticket);
        foreach (ManualResetEventSlim awake in _awake)
        {
            if (!awake.IsSet)
            {
                awake.Set();
            }
        }
    }

    private void WaitForWorkers()
    {
        long started = Stopwatch.GetTimestamp();
        while (Volatile.Read(ref _pending) != 0)
        {
            Thread.SpinWait(4);
            if (Stopwatch.GetTimestamp() - started > SpinTicks)
            {
                // The worker may wait for this very core.
                Thread.Yield();
            }
        }
    }

    private void Work(int part)
    {
        Denormals.Flush();
        int seen = 0;
        while (true)
        {
            seen = WaitForTicket(part, seen);
            if (_stopping)
            {
                return;
            }

            try
            {
                _body(_state, part, Count);
            }
            catch (Exception exception)
            {
                _failure = ExceptionDispatchInfo.Capture(exception);
            }

            Interlocked.Decrement(ref _pending);
        }
    }

    private int WaitForTicket(int part, int seen)
    {
        ManualResetEventSlim awake = _awake[part - 1];
        long started = Stopwatch.GetTimestamp();
        while (true)
        {
            int ticket = Volatile.Read(ref _ticket);
            if (ticket != seen)
            {
                return ticket;
            }

            Thread.SpinWait(4);
            if (Stopwatch.GetTimestamp() - started > SpinTicks)
            {
                awake.Reset();
                if (Volatile.Read(ref _ticket) == seen)
                {
                    awake.Wait();
                }

                started = Stopwatch.GetTimestamp();
            }
        }
    }

    /// <summary>Gives the thread its former team back when disposed.</summary>
    public readonly ref struct Membership
    {
        private readonly ComputeTeam? _former;

        internal Membership(ComputeTeam? former) => _former = former;

        public void Dispose() => s_current = _former;
    }
}
