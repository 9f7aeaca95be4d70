namespace Seq2Seq.Jobs.Storage;

/// <summary>Brings a database to this version: plain SQL, forward only, checksummed, under an advisory lock.</summary>
public static class Migrator
{
    /// <param name="connectionString">The database; it is created when absent and the user may.</param>
    /// <param name="cancellationToken">Ends the waiting for the lock.</param>
    /// <returns>The names of the scripts that were applied now.</returns>
    public static Task<IReadOnlyList<string>> MigrateAsync(
        string connectionString,
        CancellationToken cancellationToken
    ) => throw new NotSupportedException();
}
