namespace Seq2Seq.Jobs.Storage;

/// <summary>The database can't be brought to this version: its operator must act. The message says what was found.</summary>
/// <param name="code"><c>migration_changed</c>, <c>migration_failed</c> or <c>database_absent</c>.</param>
public sealed class MigrationException(string code, string message, Exception? innerException = null)
    : Exception(message, innerException)
{
    public string Code { get; } = code;
}
