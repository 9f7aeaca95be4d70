namespace Seq2Seq.Jobs.Scheduling;

/// <summary>
/// Transactions that need not outlive a crash of PostgreSQL's machine do not wait for its disk. What is accepted and what is
/// computed always does. The others (who works on what, Hangfire's tables) are put right by leases and rescue when the last
/// moments of them are lost; PostgreSQL stays consistent either way.
/// </summary>
internal static class Durability
{
    /// <summary>First statement of a transaction.</summary>
    public const string NotAwaited = "SET LOCAL synchronous_commit = off";

    /// <summary>The same for a whole connection, in its connection string.</summary>
    public const string NotAwaitedOption = "-c synchronous_commit=off";
}
