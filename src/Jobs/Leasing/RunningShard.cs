namespace Seq2Seq.Jobs.Leasing;

/// <summary>A shard at work in this process, and the token that stops it.</summary>
internal sealed class RunningShard : IDisposable
{
    private readonly CancellationTokenSource _cancellation;
    private readonly Action<RunningShard> _ended;
    private readonly Lock _lock = new();
    private bool _isConcluding;
    private bool _disposed;

    public RunningShard(LeasedShard shard, Action<RunningShard> ended, CancellationToken cancellationToken)
    {
        Shard = shard;
        _ended = ended;
        _cancellation = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
    }

    public LeasedShard Shard { get; }

    /// <summary>Cancelled when the work is to stop.</summary>
    public CancellationToken Token => _cancellation.Token;

    /// <summary>Why <see cref="Token"/> was cancelled; the first reason counts.</summary>
    public StopReason Reason { get; private set; }

    /// <summary>
    /// The work is over: what is written from now on ends the lease, or finds by it that it was gone. That the lease is gone is no
    /// reason to stop any more.
    /// </summary>
    public void Conclude()
    {
        lock (_lock)
        {
            _isConcluding = true;
        }
    }

    /// <returns>Whether there was work that is told to stop now.</returns>
    public bool Stop(StopReason reason)
    {
        lock (_lock)
        {
            if (_disposed || Reason != StopReason.None || (_isConcluding && reason == StopReason.LeaseLost))
            {
                return false;
            }

            Reason = reason;
        }

        // Outside the lock: what the token stops may dispose this.
        try
        {
            _cancellation.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The work ended meanwhile.
        }

        return true;
    }

    public void Dispose()
    {
        _ended(this);
        lock (_lock)
        {
            _disposed = true;
        }

        _cancellation.Dispose();
    }
}

/// <summary>Why a running shard was told to stop.</summary>
internal enum StopReason
{
    /// <summary>It was not, or Hangfire aborted its job.</summary>
    None,

    /// <summary>The lease is no longer in the row: the job was cancelled, or another worker has the shard.</summary>
    LeaseLost,

    /// <summary>The worker stops and its drain time is over.</summary>
    Draining,
}
