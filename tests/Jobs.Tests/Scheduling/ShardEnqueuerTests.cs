using System.Text.Json.Nodes;
using Hangfire;
using Hangfire.States;
using Npgsql;
using Seq2Seq.Jobs.Tests;
using Seq2Seq.Testing;

namespace Seq2Seq.Jobs.Scheduling.Tests;

/// <summary>
/// The rows written are those of Hangfire's own client: an upgrade of Hangfire.PostgreSql that changes them fails here.
/// </summary>
public sealed class ShardEnqueuerTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    private const string Queue = "5-m";

    private static readonly Guid _job = Guid.Parse("0197b2a4-0000-7000-8000-00000000002a");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_rows_are_those_that_Hangfires_client_writes()
    {
        await using var worker = TestWorker.Create(
            database,
            new Dictionary<string, TestModel>(StringComparer.Ordinal) { ["m"] = new() }
        );
        new BackgroundJobClient(worker.Get<JobStorage>(), HangfireStorage.Filters).Create(
            ShardJob.For(_job, 42, Queue),
            new EnqueuedState(Queue)
        );
        await using (var connection = await database.DataSource.OpenConnectionAsync(Cancellation))
        await using (var batch = new NpgsqlBatch(connection))
        {
            batch.BatchCommands.Add(ShardEnqueuer.Command([new FedShard(42, _job, Queue)]));
            await batch.ExecuteNonQueryAsync(Cancellation);
        }

        var rows = await ReadAsync();

        rows.Should().HaveCount(2);
        rows[1].Should().Be(rows[0]);
    }

    /// <summary>Every job with its rows in every table, without keys and times.</summary>
    private async Task<List<string>> ReadAsync()
    {
        await using var command = database.DataSource.CreateCommand(
            """
            SELECT to_jsonb(job) || jsonb_build_object(
                'current state', (SELECT to_jsonb(state) FROM hangfire.state WHERE state.id = job.stateid),
                'states', (SELECT count(*) FROM hangfire.state WHERE state.jobid = job.id),
                'parameters', (SELECT count(*) FROM hangfire.jobparameter WHERE jobparameter.jobid = job.id),
                'queue', (SELECT to_jsonb(jobqueue) FROM hangfire.jobqueue WHERE jobqueue.jobid = job.id))
            FROM hangfire.job ORDER BY id
            """
        );
        await using var reader = await command.ExecuteReaderAsync(Cancellation);
        List<string> rows = [];
        while (await reader.ReadAsync(Cancellation))
        {
            var row = JsonNode.Parse(reader.GetString(0))!;
            Erase(row);
            rows.Add(row.ToJsonString());
        }

        return rows;
    }

    private static void Erase(JsonNode? node)
    {
        if (node is not JsonObject row)
        {
            return;
        }

        foreach (var (name, value) in row.ToList())
        {
            if (name is "id" or "jobid" or "stateid" or "createdat" or "EnqueuedAt")
            {
                row[name] = value is null ? null : "set";
            }
            else
            {
                Erase(value);
            }
        }
    }
}
