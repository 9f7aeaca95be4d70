using System.ComponentModel.DataAnnotations;

namespace Seq2Seq.Jobs.Configuration;

/// <summary>Configuration section <c>Jobs</c>.</summary>
public sealed class JobsOptions
{
    public const string SectionName = "Jobs";

    /// <summary>The longest time that results can be kept.</summary>
    public static readonly TimeSpan MaxRetention = TimeSpan.FromDays(3650);

    /// <summary>Most lines in a shard.</summary>
    [Range(1, 100_000)]
    public int ShardLines { get; set; } = 1000;

    /// <summary>Most bytes of input in a shard.</summary>
    [Range(1024, 64 * 1024 * 1024)]
    public int ShardBytes { get; set; } = 1024 * 1024;

    /// <summary>Most bytes in a submitted input.</summary>
    [Range(1, long.MaxValue)]
    public long MaxInputBytes { get; set; } = 512L * 1024 * 1024;

    /// <summary>Shards of one job that stand in Hangfire's queue at once.</summary>
    [Range(1, 1000)]
    public int FeedWindow { get; set; } = 8;

    /// <summary>
    /// Shards that a slot runs at once: their lines are decoded together, so that a slot stays busy while one shard ends. One
    /// more has a place that is kept for the first shard of new jobs.
    /// </summary>
    [Range(1, 64)]
    public int ShardsPerSlot { get; set; } = 3;

    /// <summary>How long a lease holds without a heartbeat.</summary>
    public TimeSpan Lease { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Attempts of a shard before it is split, or its only line is given up.</summary>
    [Range(1, 100)]
    public int MaxAttempts { get; set; } = 3;

    /// <summary>Wait before the second attempt; doubles each time.</summary>
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a stopping worker may finish its shards before it hands them back.</summary>
    public TimeSpan DrainTime { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>When a model that could not be loaded is tried again.</summary>
    public TimeSpan ModelRetryInterval { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// How long a job whose parameters no live worker can read waits for a newer one (a deploy is under way) before it fails.
    /// </summary>
    public TimeSpan NewerWorkerWait { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>How long a finished job and its results are kept.</summary>
    public TimeSpan Retention { get; set; } = TimeSpan.FromDays(7);
}
