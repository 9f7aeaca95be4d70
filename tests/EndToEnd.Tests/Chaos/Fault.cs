namespace Seq2Seq.EndToEnd.Tests.Chaos;

/// <summary>One way to disturb a service that works on a job.</summary>
/// <param name="Name">As the report has it.</param>
/// <param name="InjectAsync">
/// Disturbs, and returns when the work goes on; with what the report is to say of the time that took: until another worker had
/// the victim's shards, or until lines were done again after the database was back. Null when nothing was held up.
/// </param>
internal sealed record Fault(string Name, Func<ChaosService, CancellationToken, Task<TimeSpan?>> InjectAsync)
{
    /// <summary>Why this machine can't do it; null when it can.</summary>
    public string? Hindrance { get; init; }
}
