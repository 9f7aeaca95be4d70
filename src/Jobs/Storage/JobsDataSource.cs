using Microsoft.Extensions.Logging;
using Npgsql;

namespace Seq2Seq.Jobs.Storage;

/// <summary>
/// The pool of connections of a process, and the rule for those beside it. What the connection string leaves open is set as
/// this service needs it: statements are prepared by themselves and kept when a connection goes back to the pool, which nearly
/// doubles the rate at which Hangfire runs jobs.
/// </summary>
public static class JobsDataSource
{
    /// <summary>Name under which connections show in <c>pg_stat_activity</c>.</summary>
    public const string ApplicationName = "seq2seq";

    // Of a process that was cut off or stands still, PostgreSQL hears nothing more. By its own settings it would keep the locks
    // of such a transaction for two hours, and everybody would wait for the feeder's.
    private const string ServerOptions =
        "-c idle_in_transaction_session_timeout=15s -c tcp_keepalives_idle=30 -c tcp_keepalives_interval=5 "
        + "-c tcp_keepalives_count=3 -c tcp_user_timeout=45s";

    public static NpgsqlDataSource Create(string connectionString, ILoggerFactory? loggerFactory) =>
        new NpgsqlDataSourceBuilder(Complete(connectionString)).UseLoggerFactory(loggerFactory).Build();

    /// <summary>A connection of another pool, like those of <paramref name="dataSource"/> but for some settings; to be cloned.</summary>
    internal static NpgsqlConnection CreateVariant(
        NpgsqlDataSource dataSource,
        Action<NpgsqlConnectionStringBuilder> change
    )
    {
        using var original = dataSource.CreateConnection();
        var settings = new NpgsqlConnectionStringBuilder(original.ConnectionString);
        change(settings);
        // Keeps the password, which a connection string does not show.
        return original.CloneWith(settings.ConnectionString);
    }

    /// <summary>Opens a connection; one that can't be opened is disposed.</summary>
    internal static async Task<NpgsqlConnection> OpenAsync(
        NpgsqlConnection connection,
        CancellationToken cancellationToken
    )
    {
        try
        {
            await connection.OpenAsync(cancellationToken);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    internal static string Complete(string connectionString)
    {
        var builder = new NpgsqlConnectionStringBuilder(connectionString);
        Default(builder, "Application Name", ApplicationName);
        Default(builder, "Max Auto Prepare", 60);
        Default(builder, "Auto Prepare Min Usages", 2);
        // Connections that change session state (LISTEN, session locks) are never handed back.
        Default(builder, "No Reset On Close", true);
        // The user's own come later, so that they count.
        builder.Options = $"{ServerOptions} {builder.Options}".TrimEnd();
        // A database that vanished without closing its connections is noticed in a minute, not in two hours. A Unix socket has
        // no such options and refuses them.
        if (!Path.IsPathRooted(builder.Host))
        {
            Default(builder, "Tcp Keepalive", true);
            Default(builder, "Tcp Keepalive Time", 30);
            Default(builder, "Tcp Keepalive Interval", 5);
        }

        return builder.ConnectionString;
    }

    private static void Default(NpgsqlConnectionStringBuilder builder, string keyword, object value)
    {
        if (!builder.ShouldSerialize(keyword))
        {
            builder[keyword] = value;
        }
    }
}
