using System.Buffers;
using System.Globalization;
using Npgsql;
using NpgsqlTypes;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Jobs.Results;
using Seq2Seq.Jobs.Sharding;
using Seq2Seq.Jobs.Submission;
using Seq2Seq.Testing;

namespace Seq2Seq.Jobs.Tests;

/// <summary>Jobs put into a database and looked at there.</summary>
internal static class TestJobs
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>A job of shards with equally many lines; line n of the job reads <c>line n</c> unless said otherwise.</summary>
    public static async Task<Guid> InsertJobAsync(
        this TestDatabase database,
        string model,
        int shards = 1,
        int linesPerShard = 3,
        int priority = 5,
        Func<long, string>? text = null,
        string parameters = "{}"
    )
    {
        var id = Guid.CreateVersion7();
        await database.ExecuteAsync(
            "INSERT INTO job (id, state, model, priority, lines, shards, parameters) VALUES ($1, 'queued', $2, $3, $4, $5, $6::jsonb)",
            id,
            model,
            (short)priority,
            (long)shards * linesPerShard,
            shards,
            parameters
        );
        for (int shard = 0; shard < shards; shard++)
        {
            long first = (long)shard * linesPerShard;
            var input = new ArrayBufferWriter<byte>();
            for (long line = first; line < first + linesPerShard; line++)
            {
                ShardInput.Append(input, new SourceLine { Text = text?.Invoke(line) ?? Text(line) });
            }

            await database.ExecuteAsync(
                "INSERT INTO shard (job_id, first_line, lines, priority, model, input) VALUES ($1, $2, $3, $4, $5, $6)",
                id,
                first,
                linesPerShard,
                (short)priority,
                model,
                input.WrittenSpan.ToArray()
            );
        }

        await database.ExecuteAsync("SELECT pg_notify('seq2seq_waiting', $1)", id.ToString());
        return id;
    }

    public static string Text(long line) => string.Create(CultureInfo.InvariantCulture, $"line {line}");

    /// <summary>Stored results of a shard, all alike.</summary>
    public static ReadOnlyMemory<byte> Output(int lines)
    {
        var output = new ArrayBufferWriter<byte>();
        for (int line = 0; line < lines; line++)
        {
            ShardOutput.Append(output, null, new SequenceResult());
        }

        return output.WrittenMemory;
    }

    public static Task<string> JobStateAsync(this TestDatabase database, Guid job) =>
        database.ScalarAsync<string>("SELECT state FROM job WHERE id = $1", job);

    public static Task WaitForJobAsync(this TestDatabase database, Guid job, string state = "completed") =>
        Eventually.HoldsAsync(
            async () => await database.JobStateAsync(job) == state,
            _patience,
            $"job {job} is {state}"
        );

    public static Task<long> CountShardsAsync(this TestDatabase database, Guid job, string state) =>
        database.ScalarAsync<long>("SELECT count(*) FROM shard WHERE job_id = $1 AND state = $2", job, state);

    public static Task<long> ShardIdAsync(this TestDatabase database, Guid job, long firstLine = 0) =>
        database.ScalarAsync<long>("SELECT id FROM shard WHERE job_id = $1 AND first_line = $2", job, firstLine);

    /// <summary>All results in order. Fails when a line is missing or there twice.</summary>
    public static async Task<IReadOnlyList<LineResult>> ReadResultsAsync(this TestDatabase database, Guid job)
    {
        await using var command = database.DataSource.CreateCommand(
            "SELECT first_line, output FROM shard_result WHERE job_id = $1 ORDER BY first_line"
        );
        command.Parameters.Add(new NpgsqlParameter { Value = job, NpgsqlDbType = NpgsqlDbType.Uuid });
        await using var reader = await command.ExecuteReaderAsync(Cancellation);
        List<LineResult> results = [];
        while (await reader.ReadAsync(Cancellation))
        {
            long firstLine = reader.GetInt64(0);
            firstLine.Should().Be(results.Count);
            byte[] output = await reader.GetFieldValueAsync<byte[]>(1, Cancellation);
            results.AddRange(ShardOutput.Read(output, firstLine));
        }

        return results;
    }

    /// <summary>The job is complete and every line has its answer.</summary>
    public static async Task ShouldHaveEveryAnswerAsync(
        this TestDatabase database,
        Guid job,
        long lines,
        Func<long, string>? text = null
    )
    {
        await database.WaitForJobAsync(job);
        var results = await database.ReadResultsAsync(job);
        results
            .Select(result => result.Result.Outputs[0].Text)
            .Should()
            .Equal(Enumerable.Range(0, (int)lines).Select(line => TestModel.Answer(text?.Invoke(line) ?? Text(line))));
        (await database.ScalarAsync<long>("SELECT lines_done FROM job WHERE id = $1", job)).Should().Be(lines);
        (await database.ScalarAsync<bool>("SELECT shards_done = shards FROM job WHERE id = $1", job)).Should().BeTrue();
    }
}
