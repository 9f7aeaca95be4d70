using System.Diagnostics;
using Npgsql;

namespace Seq2Seq.EndToEnd.Tests.Chaos;

/// <summary>What happens to worker processes. The victim is any of them; the moment is random within what the name says.</summary>
internal static class WorkerFaults
{
    public static IReadOnlyList<Fault> All { get; } =
    [
        new("kill -9 while loading", KillLoadingAsync),
        new("kill -9 while running", KillRunningAsync),
        new("kill -9 while writing", (service, token) => KillWritingAsync(service, isLast: false, token)),
        new("kill -9 while finalising", (service, token) => KillWritingAsync(service, isLast: true, token)),
        new("STOP past the lease, CONT", FreezeAsync),
        new("TERM (drain)", DrainAsync),
    ];

    private static async Task<TimeSpan?> KillLoadingAsync(ChaosService service, CancellationToken cancellationToken)
    {
        int victim = service.PickWorker();
        TimeSpan? takeover = await KillAsync(service, victim, cancellationToken);
        await Task.Delay(service.Random.Next(0, 700), cancellationToken);
        await service.KillWorkerAsync(victim);
        service.StartWorker(victim);
        return takeover;
    }

    private static async Task<TimeSpan?> KillRunningAsync(ChaosService service, CancellationToken cancellationToken)
    {
        int victim = await PickRunningAsync(service, cancellationToken);
        return await KillAsync(service, victim, cancellationToken);
    }

    // The job's row is locked, so that its workers stand in the middle of writing.
    private static async Task<TimeSpan?> KillWritingAsync(
        ChaosService service,
        bool isLast,
        CancellationToken cancellationToken
    )
    {
        await using NpgsqlConnection connection = await service.OpenAsync(cancellationToken);
        await using NpgsqlTransaction transaction = await connection.BeginTransactionAsync(cancellationToken);
        await service.UntilAsync(
            () => ChaosService.TryLockBusyJobAsync(connection, isLast, cancellationToken),
            isLast ? "a job runs its last shards" : "a job runs",
            cancellationToken
        );
        int victim = 0;
        await service.UntilAsync(
            async () =>
            {
                int? writing = await service.FindWritingAsync(cancellationToken);
                victim = writing ?? 0;
                return writing is not null;
            },
            "a worker writes results",
            cancellationToken
        );
        await Task.Delay(service.Random.Next(0, 100), cancellationToken);
        IReadOnlyList<Guid> held = await service.HeldShardsAsync(victim, cancellationToken);
        await service.KillWorkerAsync(victim);
        long killed = Stopwatch.GetTimestamp();
        await transaction.RollbackAsync(cancellationToken);
        service.StartWorker(victim);
        return await service.UntilReleasedAsync(held, killed, cancellationToken);
    }

    private static async Task<TimeSpan?> FreezeAsync(ChaosService service, CancellationToken cancellationToken)
    {
        int victim = await PickRunningAsync(service, cancellationToken);
        service.Workers[victim].Freeze();
        try
        {
            IReadOnlyList<Guid> held = await service.HeldShardsAsync(victim, cancellationToken);
            return await service.UntilReleasedAsync(held, Stopwatch.GetTimestamp(), cancellationToken);
        }
        finally
        {
            service.Workers[victim].Thaw();
        }
    }

    private static async Task<TimeSpan?> DrainAsync(ChaosService service, CancellationToken cancellationToken)
    {
        int victim = await PickRunningAsync(service, cancellationToken);
        (await service.Workers[victim].StopAsync()).Should().Be(0, service.Workers[victim].Log);
        (await service.HeldShardsAsync(victim, cancellationToken)).Should().BeEmpty("it has drained");
        await service.Workers[victim].DisposeAsync();
        service.StartWorker(victim);
        return null;
    }

    // At a random moment of its work.
    private static async Task<int> PickRunningAsync(ChaosService service, CancellationToken cancellationToken)
    {
        int victim = service.PickWorker();
        await service.UntilAsync(
            async () => (await service.HeldShardsAsync(victim, cancellationToken)).Count > 0,
            "the victim runs a shard",
            cancellationToken
        );
        await Task.Delay(service.Random.Next(0, 400), cancellationToken);
        return victim;
    }

    private static async Task<TimeSpan?> KillAsync(
        ChaosService service,
        int victim,
        CancellationToken cancellationToken
    )
    {
        await service.KillWorkerAsync(victim);
        long killed = Stopwatch.GetTimestamp();
        IReadOnlyList<Guid> held = await service.HeldShardsAsync(victim, cancellationToken);
        service.StartWorker(victim);
        return await service.UntilReleasedAsync(held, killed, cancellationToken);
    }
}
