namespace Seq2Seq.Api.EmbeddedPostgres;

/// <summary>Configuration section <c>EmbeddedPostgres</c>: the service's own PostgreSQL, used when <c>ConnectionStrings:Jobs</c> is empty.</summary>
internal sealed class EmbeddedPostgresOptions
{
    public const string SectionName = "EmbeddedPostgres";

    /// <summary>
    /// Folder that holds the database and its password. Empty means <c>$XDG_STATE_HOME/seq2seq</c> (usually
    /// <c>~/.local/state/seq2seq</c>), and for root <c>/var/lib/seq2seq</c>.
    /// </summary>
    public string DataFolder { get; set; } = "";

    /// <summary>Folder that holds PostgreSQL's programs (<c>initdb</c>, <c>pg_ctl</c>, <c>postgres</c>). Empty means the newest that is installed.</summary>
    public string BinaryFolder { get; set; } = "";

    /// <summary>The user that PostgreSQL runs as when the service runs as root, which PostgreSQL refuses.</summary>
    public string User { get; set; } = "postgres";

    /// <summary>How long a start may last; after a crash it includes the recovery.</summary>
    public TimeSpan StartTimeout { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Settings of PostgreSQL over ours, such as <c>shared_buffers</c>: <c>1GB</c>.</summary>
    public Dictionary<string, string> Settings { get; } = new(StringComparer.OrdinalIgnoreCase);
}
