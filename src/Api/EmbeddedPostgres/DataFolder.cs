using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Seq2Seq.Api.EmbeddedPostgres;

/// <summary>
/// The service's data folder: where things lie in it, the password, and the lock that keeps a second service out. The part under
/// <c>postgres/</c> belongs to the user that PostgreSQL runs as, the rest to the service.
/// </summary>
internal sealed class DataFolder
{
    private DataFolder(string path) => Path = path;

    public string Path { get; }

    /// <summary>Everything of PostgreSQL's.</summary>
    public string Postgres => System.IO.Path.Combine(Path, "postgres");

    /// <summary>PGDATA.</summary>
    public string Cluster => System.IO.Path.Combine(Postgres, "data");

    public string ServerLog => System.IO.Path.Combine(Postgres, "server.log");

    /// <summary>The keys of sessions.</summary>
    public string Sessions => System.IO.Path.Combine(Path, "sessions");

    private string PasswordFile => System.IO.Path.Combine(Path, "postgres.password");

    private string LockFile => System.IO.Path.Combine(Path, "seq2seq.lock");

    // Apart from the lock, which nobody else can open.
    private string OwnerFile => System.IO.Path.Combine(Path, "seq2seq.pid");

    /// <summary>The configured folder, or this user's usual one.</summary>
    public static DataFolder Of(EmbeddedPostgresOptions options) =>
        new(System.IO.Path.GetFullPath(options.DataFolder.Length > 0 ? options.DataFolder : UsualPath()));

    public void Create()
    {
        try
        {
            Directory.CreateDirectory(Path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new EmbeddedPostgresException($"Data folder '{Path}' can't be made: {e.Message}", e);
        }
    }

    /// <summary>Takes the folder for this process; a killed process gives it up by itself.</summary>
    /// <exception cref="EmbeddedPostgresException">Another service has it.</exception>
    public IDisposable Lock()
    {
        try
        {
            // FileShare.None is flock(LOCK_EX) here; closing on exec, so that no child keeps it.
            var file = new FileStream(LockFile, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            File.WriteAllText(OwnerFile, Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
            return file;
        }
        catch (IOException e)
        {
            throw new EmbeddedPostgresException(
                $"Data folder '{Path}' is in use by another seq2seq service{Owner()}. Stop that one, choose another folder (--data), or join it with --role worker.",
                e
            );
        }
        catch (UnauthorizedAccessException e)
        {
            throw new EmbeddedPostgresException($"Data folder '{Path}' belongs to another user: {e.Message}", e);
        }
    }

    /// <exception cref="EmbeddedPostgresException">There is none, or it can't be read.</exception>
    public string ReadPassword()
    {
        try
        {
            return File.ReadAllText(PasswordFile);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new EmbeddedPostgresException($"The database's password can't be read: {e.Message}", e);
        }
    }

    /// <summary>Makes a password that is there, whole and for this user alone, before the database that has it.</summary>
    public string MakePassword()
    {
        if (File.Exists(PasswordFile))
        {
            return ReadPassword();
        }

        string password = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24));
        string fresh = PasswordFile + ".new";
        File.Delete(fresh);
        WritePrivate(fresh, password);
        File.Move(fresh, PasswordFile);
        return password;
    }

    /// <summary>Writes a file that only its owner can read, from its first byte on.</summary>
    public static void WritePrivate(string path, string text)
    {
        using var stream = new FileStream(
            path,
            new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            }
        );
        stream.Write(Encoding.ASCII.GetBytes(text));
        stream.Flush(flushToDisk: true);
    }

    private string Owner()
    {
        try
        {
            string text = File.ReadAllText(OwnerFile);
            return text.Length > 0 ? $" (process {text})" : "";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private static string UsualPath()
    {
        if (Environment.IsPrivilegedProcess)
        {
            return "/var/lib/seq2seq";
        }

        string? state = Environment.GetEnvironmentVariable("XDG_STATE_HOME");
        return System.IO.Path.Combine(
            !string.IsNullOrEmpty(state)
                ? state
                : System.IO.Path.Combine(
                    Environment.GetFolderPath(Environment.SpecialFolder.UserProfile),
                    ".local",
                    "state"
                ),
            "seq2seq"
        );
    }
}
