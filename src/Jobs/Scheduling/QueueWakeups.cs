namespace Seq2Seq.Jobs.Scheduling;

/// <summary>
/// Where this process's idle workers wait for queued shards. A notification wakes one of those that listen to its queue:
/// each worker looks into the table before it waits, so as many looks as jobs are enough.
/// </summary>
internal sealed class QueueWakeups : IDisposable
{
    private readonly Lock _lock = new();
    private readonly LinkedList<Waiter> _waiters = [];
    private readonly IDisposable _subscription;

    public QueueWakeups(DatabaseListener listener) =>
        _subscription = listener.Subscribe(NotificationChannels.Queue, payload => Wake(QueueOf(payload)), WakeAll);

    public void Dispose() => _subscription.Dispose();

    /// <summary>Begins to listen to queues; ends when disposed.</summary>
    public Waiter Listen(IEnumerable<string> queues)
    {
        var waiter = new Waiter(this, queues.ToHashSet(StringComparer.Ordinal));
        lock (_lock)
        {
            _waiters.AddLast(waiter);
        }

        return waiter;
    }

    /// <summary>Wakes one worker that listens to a queue, if any is idle.</summary>
    public void Wake(string queue)
    {
        lock (_lock)
        {
            _waiters.FirstOrDefault(waiter => !waiter.IsAwake && waiter.Queues.Contains(queue))?.Wake();
        }
    }

    /// <summary>Wakes every worker: notifications may have been lost.</summary>
    public void WakeAll()
    {
        lock (_lock)
        {
            foreach (var waiter in _waiters)
            {
                waiter.Wake();
            }
        }
    }

    // Behind the queue's name there may be a number, which tells notifications apart.
    private static string QueueOf(string payload) => payload.Split(' ', 2)[0];

    /// <summary>One idle worker.</summary>
    internal sealed class Waiter(QueueWakeups wakeups, HashSet<string> queues) : IDisposable
    {
        private readonly ManualResetEventSlim _awake = new();

        public HashSet<string> Queues { get; } = queues;

        public bool IsAwake => _awake.IsSet;

        public void Wake() => _awake.Set();

        /// <summary>Returns when woken or when the time has passed.</summary>
        public void Wait(TimeSpan timeout, CancellationToken cancellationToken)
        {
            _awake.Wait(timeout, cancellationToken);
            lock (wakeups._lock)
            {
                _awake.Reset();
            }
        }

        public void Dispose()
        {
            lock (wakeups._lock)
            {
                wakeups._waiters.Remove(this);
                if (_awake.IsSet)
                {
                    // It leaves with a job that it had found before it was woken: the wake-up was for another.
                    wakeups._waiters.FirstOrDefault(other => !other.IsAwake && other.Queues.Overlaps(Queues))?.Wake();
                }
            }

            _awake.Dispose();
        }
    }
}
