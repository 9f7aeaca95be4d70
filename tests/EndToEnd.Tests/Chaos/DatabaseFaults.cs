using System.Diagnostics;
using Npgsql;

namespace Seq2Seq.EndToEnd.Tests.Chaos;

/// <summary>What happens to PostgreSQL, and to the way there.</summary>
internal static class DatabaseFaults
{
    public static IReadOnlyList<Fault> All { get; } =
    [
        new("PostgreSQL restarted, fast", (service, token) => RestartAsync(service, "INT", token)),
        new("PostgreSQL restarted, immediate", (service, token) => RestartAsync(service, "QUIT", token)),
        new("every connection terminated", TerminateAsync),
        new("half-open connections", HalfOpenAsync),
        new("out of connections", TakeConnectionsAsync),
        new("out of disk", FillDiskAsync) { Hindrance = ChaosService.NoDiskLimit },
    ];

    private static async Task<TimeSpan?> RestartAsync(
        ChaosService service,
        string signal,
        CancellationToken cancellationToken
    )
    {
        await service.RandomMomentAsync(cancellationToken);
        await service.Cluster.RestartAsync(signal, cancellationToken);
        return await service.UntilProgressAsync(cancellationToken);
    }

    // As when a standby takes over: several times, because clients come back before it is over.
    private static async Task<TimeSpan?> TerminateAsync(ChaosService service, CancellationToken cancellationToken)
    {
        await service.RandomMomentAsync(cancellationToken);
        for (int i = 0; i < 3; i++)
        {
            await service.TerminateConnectionsAsync(cancellationToken);
            await Task.Delay(service.Random.Next(0, 300), cancellationToken);
        }

        return await service.UntilProgressAsync(cancellationToken);
    }

    private static async Task<TimeSpan?> HalfOpenAsync(ChaosService service, CancellationToken cancellationToken)
    {
        await service.RandomMomentAsync(cancellationToken);
        service.Proxy.FallSilent();
        try
        {
            await Task.Delay(service.Lease + TimeSpan.FromSeconds(1), cancellationToken);
        }
        finally
        {
            service.Proxy.Resume();
        }

        TimeSpan? back = await service.UntilProgressAsync(cancellationToken);
        // As PostgreSQL's keep-alives, which the proxy answers, would have done: each session that was cut holds a connection.
        service.Proxy.CloseCut();
        return back;
    }

    private static async Task<TimeSpan?> TakeConnectionsAsync(ChaosService service, CancellationToken cancellationToken)
    {
        await service.RandomMomentAsync(cancellationToken);
        List<NpgsqlConnection> taken = [];
        try
        {
            var held = Stopwatch.StartNew();
            while (held.Elapsed < service.Lease + TimeSpan.FromSeconds(1))
            {
                await service.TerminateConnectionsAsync(cancellationToken);
                while (await service.TryTakeConnectionAsync(cancellationToken) is { } connection)
                {
                    taken.Add(connection);
                }

                await Task.Delay(200, cancellationToken);
            }
        }
        finally
        {
            foreach (NpgsqlConnection connection in taken)
            {
                await connection.DisposeAsync();
            }
        }

        taken.Should().NotBeEmpty();
        return await service.UntilProgressAsync(cancellationToken);
    }

    private static async Task<TimeSpan?> FillDiskAsync(ChaosService service, CancellationToken cancellationToken)
    {
        await service.RandomMomentAsync(cancellationToken);
        string filler = Path.Combine(service.Cluster.DataFolder, "filler");
        try
        {
            var held = Stopwatch.StartNew();
            while (held.Elapsed < service.Lease + TimeSpan.FromSeconds(1))
            {
                // Again and again: PostgreSQL frees a file now and then.
                Fill(filler);
                await Task.Delay(200, cancellationToken);
            }
        }
        finally
        {
            File.Delete(filler);
        }

        return await service.UntilProgressAsync(cancellationToken);
    }

    private static void Fill(string path)
    {
        byte[] zeros = new byte[64 * 1024];
        try
        {
            using FileStream file = new(path, FileMode.Append, FileAccess.Write, FileShare.None, bufferSize: 0);
            while (true)
            {
                file.Write(zeros);
            }
        }
        catch (IOException)
        {
            // It is full.
        }
    }
}
