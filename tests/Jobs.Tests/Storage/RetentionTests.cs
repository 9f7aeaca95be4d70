using Seq2Seq.Jobs.Tests;

namespace Seq2Seq.Jobs.Storage.Tests;

public sealed class RetentionTests(JobStore store) : IClassFixture<JobStore>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Expired_jobs_go_with_all_their_rows_and_others_stay()
    {
        var expired = await store.SubmitAsync(3000);
        var kept = await store.SubmitAsync(3);
        var running = await store.SubmitAsync(3);
        await store.FinishAllAsync(expired.Id);
        await store.FinishAllAsync(kept.Id);
        await store.Database.ExecuteAsync("UPDATE job SET expires_at = now() WHERE id = $1", expired.Id);

        var deleted = await Task.WhenAll(
            Enumerable.Range(0, 3).Select(_ => store.Retention.DeleteExpiredAsync(Cancellation))
        );

        deleted.Sum().Should().Be(1);
        foreach (string table in (string[])["job WHERE id", "shard WHERE job_id", "shard_result WHERE job_id"])
        {
            string sql = $"SELECT count(*) FROM {table} = $1";
            (await store.Database.ScalarAsync<long>(sql, expired.Id)).Should().Be(0, table);
            (await store.Database.ScalarAsync<long>(sql, kept.Id)).Should().BePositive(table);
        }

        (await store.Directory.FindAsync(running.Id, Cancellation)).Should().NotBeNull();
    }
}
