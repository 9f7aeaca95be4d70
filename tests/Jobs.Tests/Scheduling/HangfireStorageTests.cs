using Seq2Seq.Jobs.Tests;
using Seq2Seq.Testing;

namespace Seq2Seq.Jobs.Scheduling.Tests;

public sealed class HangfireStorageTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    [Fact]
    public async Task A_lock_that_a_killed_worker_has_left_on_a_Hangfire_job_does_not_stop_whoever_gets_the_job_next()
    {
        await using var worker = await TestWorker.StartAsync(database, new TestModel());
        // It was killed while it changed the job's state: the job's number is one of the next.
        await database.ExecuteAsync(
            """
            INSERT INTO hangfire.lock (resource, updatecount, acquired)
            SELECT 'hangfire:job:' || last_value + next || ':state-lock', 0, now() - interval '1 minute'
            FROM hangfire.job_id_seq, generate_series(0, 9) AS next
            """
        );

        var job = await database.InsertJobAsync(TestWorker.Model, shards: 3);

        await database.ShouldHaveEveryAnswerAsync(job, lines: 9);
    }
}
