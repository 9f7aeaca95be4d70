using System.Collections.Concurrent;

namespace Seq2Seq.Jobs.Leasing;

/// <summary>The shards at work in this process, by lease.</summary>
internal sealed class RunningShards
{
    private readonly ConcurrentDictionary<Guid, RunningShard> _shards = [];

    public int Count => _shards.Count;

    public IReadOnlyCollection<RunningShard> All => [.. _shards.Values];

    /// <summary>From now until the result is disposed, the lease is renewed.</summary>
    public RunningShard Begin(LeasedShard shard, CancellationToken cancellationToken)
    {
        var running = new RunningShard(shard, ended => _shards.TryRemove(ended.Shard.Token, out _), cancellationToken);
        _shards[shard.Token] = running;
        return running;
    }
}
