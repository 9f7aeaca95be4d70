using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;
using Seq2Seq.Jobs.Configuration;
using Seq2Seq.Jobs.Scheduling;
using Seq2Seq.Jobs.Storage;
using Seq2Seq.Jobs.Tests;
using Seq2Seq.Testing;

namespace Seq2Seq.Jobs.Leasing.Tests;

public sealed class LeaseConnectionTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(20);

    private static readonly IOptions<JobsOptions> _options = Options.Create(
        new JobsOptions { Lease = TimeSpan.FromSeconds(3) }
    );

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Leases_are_renewed_while_requests_have_every_connection_of_the_pool()
    {
        var settings = new NpgsqlConnectionStringBuilder(database.ConnectionString) { MaxPoolSize = 1, Timeout = 1 };
        await using var process = JobsDataSource.Create(settings.ConnectionString, loggerFactory: null);
        var leases = Leases(process);
        var shard = await TakeAsync(leases);
        await using var request = await process.OpenConnectionAsync(Cancellation);

        var valid = await leases.RenewAsync([shard.Token], Cancellation);

        valid.Should().Equal(shard.Token);
    }

    [Fact]
    public async Task One_connection_is_kept_for_all_renewals()
    {
        var settings = new NpgsqlConnectionStringBuilder(database.ConnectionString) { ApplicationName = "kept" };
        await using var process = JobsDataSource.Create(settings.ConnectionString, loggerFactory: null);
        var leases = Leases(process);

        for (int beat = 0; beat < 3; beat++)
        {
            await leases.RenewAsync([Guid.NewGuid()], Cancellation);
        }

        (await database.ScalarAsync<long>("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'kept'"))
            .Should()
            .Be(1);
    }

    [Fact]
    public async Task Leases_are_renewed_again_when_every_connection_was_ended_as_by_a_restart()
    {
        var settings = new NpgsqlConnectionStringBuilder(database.ConnectionString) { ApplicationName = "restarted" };
        await using var process = JobsDataSource.Create(settings.ConnectionString, loggerFactory: null);
        await using var worker = await BeatingWorker.StartAsync(database, process);
        var job = worker.Begin(await TakeAsync(worker.Leases));
        await UntilRenewedAsync(job);

        (
            await database.ScalarAsync<long>(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'restarted'"
            )
        )
            .Should()
            .BePositive();

        await UntilRenewedAsync(job);
    }

    [Fact]
    public async Task A_connection_that_was_cut_without_a_word_is_given_up_for_another()
    {
        await using var proxy = new TcpProxy(database.ConnectionString);
        await using var process = JobsDataSource.Create(proxy.Lead(database.ConnectionString), loggerFactory: null);
        await using var worker = await BeatingWorker.StartAsync(database, process);
        var job = worker.Begin(await TakeAsync(worker.Leases));
        await UntilRenewedAsync(job);

        // What was open stays so, and says nothing more; what is new passes.
        proxy.FallSilent();
        proxy.Resume();

        await UntilRenewedAsync(job);
    }

    private static ShardLeases Leases(NpgsqlDataSource dataSource) =>
        new(dataSource, new LeaseConnection(dataSource, _options), new WorkerIdentity(), _options);

    private async Task<LeasedShard> TakeAsync(ShardLeases leases)
    {
        var job = await database.InsertJobAsync("m");
        return (await leases.TakeAsync(job, await database.ShardIdAsync(job), "cpu:0", Cancellation))!;
    }

    /// <summary>Returns when the lease has been renewed after now.</summary>
    private async Task UntilRenewedAsync(Guid job)
    {
        var now = await database.ScalarAsync<DateTime>("SELECT clock_timestamp()");
        await Eventually.HoldsAsync(
            () =>
                database.ScalarAsync<bool>(
                    "SELECT lease_until > $2 + interval '3 seconds' FROM shard WHERE job_id = $1",
                    job,
                    now
                ),
            _patience,
            "the lease is renewed"
        );
    }

    /// <summary>Renews the leases of what runs in it, and does nothing else.</summary>
    private sealed class BeatingWorker : IAsyncDisposable
    {
        private readonly RunningShards _running = new();
        private readonly LeaseHeartbeat _heartbeat;

        private BeatingWorker(TestDatabase database, NpgsqlDataSource process)
        {
            Leases = LeaseConnectionTests.Leases(process);
            var listener = new DatabaseListener(
                database.DataSource,
                TimeProvider.System,
                NullLogger<DatabaseListener>.Instance
            );
            _heartbeat = new LeaseHeartbeat(
                Leases,
                _running,
                listener,
                _options,
                TimeProvider.System,
                NullLogger<LeaseHeartbeat>.Instance
            );
        }

        public ShardLeases Leases { get; }

        public static async Task<BeatingWorker> StartAsync(TestDatabase database, NpgsqlDataSource process)
        {
            var worker = new BeatingWorker(database, process);
            await worker._heartbeat.StartAsync(Cancellation);
            return worker;
        }

        /// <returns>The shard's job.</returns>
        public Guid Begin(LeasedShard shard)
        {
            _running.Begin(shard, Cancellation);
            return shard.JobId;
        }

        public async ValueTask DisposeAsync()
        {
            await _heartbeat.StopAsync(CancellationToken.None);
            _heartbeat.Dispose();
        }
    }
}
