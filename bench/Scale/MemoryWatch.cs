using System.Globalization;

namespace Seq2Seq.Bench.Scale;

/// <summary>
/// The most memory of processes while it watches, sampled from <c>/proc</c>: of programs all that is resident, of PostgreSQL's
/// processes what is their own (the shared buffers, which all map, are of one fixed size).
/// </summary>
internal sealed class MemoryWatch : IAsyncDisposable
{
    private static readonly TimeSpan _interval = TimeSpan.FromMilliseconds(50);

    private readonly CancellationTokenSource _end = new();
    private readonly int _program;
    private readonly int? _client;
    private readonly Func<int?> _postmaster;
    private readonly Task _watching;

    /// <param name="program">The service's process.</param>
    /// <param name="client">A client's process.</param>
    /// <param name="postmaster">Finds the database server's process.</param>
    public MemoryWatch(int program, int? client, Func<int?> postmaster)
    {
        _program = program;
        _client = client;
        _postmaster = postmaster;
        _watching = Task.Run(WatchAsync);
    }

    /// <summary>MiB of the service.</summary>
    public double Program { get; private set; }

    /// <summary>MiB of the client; 0 when it is this process.</summary>
    public double Client { get; private set; }

    /// <summary>MiB of the largest process of PostgreSQL.</summary>
    public double LargestBackend { get; private set; }

    /// <summary>MiB of all processes of PostgreSQL together.</summary>
    public double AllBackends { get; private set; }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _watching;
        _end.Dispose();
    }

    private async Task WatchAsync()
    {
        while (!_end.IsCancellationRequested)
        {
            Program = Math.Max(Program, Mebibytes(_program, "VmRSS:"));
            Client = _client is { } client ? Math.Max(Client, Mebibytes(client, "VmRSS:")) : 0;
            if (_postmaster() is { } postmaster)
            {
                double[] backends =
                [
                    .. Children(postmaster).Append(postmaster).Select(id => Mebibytes(id, "RssAnon:")),
                ];
                LargestBackend = Math.Max(LargestBackend, backends.Max());
                AllBackends = Math.Max(AllBackends, backends.Sum());
            }

            await Task.Delay(_interval, _end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static int[] Children(int process)
    {
        try
        {
            return
            [
                .. File.ReadAllText($"/proc/{process}/task/{process}/children")
                    .Split(' ', StringSplitOptions.RemoveEmptyEntries)
                    .Select(id => int.Parse(id, CultureInfo.InvariantCulture)),
            ];
        }
        catch (IOException)
        {
            return [];
        }
    }

    // proc_pid_status(5); 0 when the process has ended.
    private static double Mebibytes(int process, string field)
    {
        try
        {
            string? line = File.ReadLines($"/proc/{process}/status")
                .FirstOrDefault(text => text.StartsWith(field, StringComparison.Ordinal));
            return line is null ? 0 : long.Parse(line[field.Length..^2], CultureInfo.InvariantCulture) / 1024.0;
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
