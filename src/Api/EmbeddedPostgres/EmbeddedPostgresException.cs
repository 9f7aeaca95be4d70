namespace Seq2Seq.Api.EmbeddedPostgres;

/// <summary>The service's own PostgreSQL can't run; the message says what to change.</summary>
internal sealed class EmbeddedPostgresException(string message, Exception? innerException = null)
    : Exception(message, innerException);
