using Seq2Seq.Jobs.Tests;
using Seq2Seq.Testing;

namespace Seq2Seq.Jobs.Leasing.Tests;

/// <summary>Leases, back-offs and signs of life go by PostgreSQL's clock alone: a worker's own may say what it likes.</summary>
public sealed class ClockJumpTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_workers_clock_that_jumps_an_hour_ahead_and_two_back_loses_no_lease_and_doubles_no_line()
    {
        var time = new JumpingTime();
        var working = new TaskCompletionSource();
        var goOn = new TaskCompletionSource();
        var model = new TestModel
        {
            BeforeBatch = async (_, token) =>
            {
                working.TrySetResult();
                await goOn.Task.WaitAsync(token);
            },
        };
        await using var jumping = await TestWorker.StartAsync(database, model, time);
        var job = await database.InsertJobAsync(TestWorker.Model, shards: 8);
        await working.Task.WaitAsync(_patience, Cancellation);
        // Another, which takes over what is lost, and whose clock is right.
        await using var steady = await TestWorker.StartAsync(database, model);

        time.Offset = TimeSpan.FromHours(1);
        await UntilRenewedAsync();
        await steady.Get<ShardRescue>().RescueAsync(Cancellation);
        time.Offset = TimeSpan.FromHours(-1);
        await UntilRenewedAsync();
        await jumping.Get<ShardRescue>().RescueAsync(Cancellation);
        goOn.SetResult();

        await database.ShouldHaveEveryAnswerAsync(job, lines: 24);
        model.Lines.Should().Be(24);
        (await database.ScalarAsync<long>("SELECT count(*) FROM shard WHERE attempts > 1")).Should().Be(0);
    }

    /// <summary>Returns when every running shard's lease has been renewed since now, to no later than a lease from now.</summary>
    private async Task UntilRenewedAsync()
    {
        var now = await database.ScalarAsync<DateTime>("SELECT clock_timestamp()");
        await Eventually.HoldsAsync(
            () =>
                database.ScalarAsync<bool>(
                    """
                    SELECT bool_and(
                        lease_until > $1 + interval '3 seconds' AND lease_until <= clock_timestamp() + interval '3 seconds'
                    )
                    FROM shard WHERE state = 'running'
                    """,
                    now
                ),
            _patience,
            "the leases are renewed, by the database's clock"
        );
    }

    private sealed class JumpingTime : TimeProvider
    {
        public TimeSpan Offset { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Offset;
    }
}
