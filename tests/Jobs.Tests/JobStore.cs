using System.Buffers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Jobs.Configuration;
using Seq2Seq.Jobs.Keys;
using Seq2Seq.Jobs.Results;
using Seq2Seq.Jobs.Scheduling;
using Seq2Seq.Jobs.Storage;
using Seq2Seq.Jobs.Submission;
using Seq2Seq.Jobs.Webhooks;
using Seq2Seq.Testing;

namespace Seq2Seq.Jobs.Tests;

/// <summary>
/// The store of jobs on a database of its own (<c>IClassFixture&lt;JobStore&gt;</c>), with the model <c>letters</c> and shards of at most
/// ten lines. Nothing runs: tests play the worker.
/// </summary>
public sealed class JobStore(PostgresServer server) : IAsyncLifetime
{
    public const string Model = "letters";

    private ServiceProvider _services = null!;

    public TestDatabase Database { get; } = new(server);

    public JobSubmitter Submitter => Get<JobSubmitter>();

    public JobDirectory Directory => Get<JobDirectory>();

    public ResultReader Results => Get<ResultReader>();

    public ApiKeyDirectory Keys => Get<ApiKeyDirectory>();

    internal DatabaseListener Listener => Get<DatabaseListener>();

    internal Retention Retention => Get<Retention>();

    internal WebhookDelivery Webhooks => Get<WebhookDelivery>();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await Database.InitializeAsync();
        var services = new ServiceCollection();
        services.AddSingleton<ILoggerFactory>(Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory.Instance);
        services.AddLogging();
        services.AddSingleton(Database.DataSource);
        services.Configure<ModelsOptions>(models => models.Add(Model, new ModelOptions { Folder = "models/letters" }));
        services.Configure<JobsOptions>(options =>
        {
            options.ShardLines = 10;
            options.MaxInputBytes = 16 * 1024 * 1024;
        });
        services.Configure<WebhooksOptions>(options => options.AllowedNetworks.Add("127.0.0.0/8"));
        services.AddSingleton<DatabaseListener>();
        services.AddSingleton<Retention>();
        services.AddSingleton<WebhookSender>();
        services.AddSingleton<WebhookDelivery>();
        services.AddJobStore();
        _services = services.BuildServiceProvider();
        await Listener.StartAsync(Cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        await Listener.StopAsync(CancellationToken.None);
        await _services.DisposeAsync();
        await Database.DisposeAsync();
    }

    /// <summary>Submits lines of text.</summary>
    public async Task<Job> SubmitAsync(params string[] lines)
    {
        var request = new JobRequest { Model = Model };
        return (await Submitter.SubmitAsync(request, Lines(lines), Cancellation)).Job;
    }

    /// <summary>Submits <paramref name="count"/> lines: <c>line 0</c>, <c>line 1</c> …</summary>
    public Task<Job> SubmitAsync(int count) => SubmitAsync([.. Enumerable.Range(0, count).Select(i => $"line {i}")]);

    public static IAsyncEnumerable<SourceLine> Lines(params string[] texts) =>
        texts.Select(text => new SourceLine { Text = text }).ToAsyncEnumerable();

    /// <summary>First lines of a job's shards.</summary>
    public async Task<IReadOnlyList<ShardStatus>> ShardsAsync(Guid jobId) =>
        await Directory.ListShardsAsync(jobId, limit: 1000, afterFirstLine: -1, Cancellation);

    /// <summary>Gives each line of a shard a result as a worker would: its text <c>done N</c>, or an error.</summary>
    public async Task FinishAsync(Guid jobId, ShardStatus shard, Func<long, bool>? fails = null)
    {
        var output = new ArrayBufferWriter<byte>();
        int failed = 0;
        for (int i = 0; i < shard.Lines; i++)
        {
            if (fails?.Invoke(shard.FirstLine + i) == true)
            {
                ShardOutput.Append(output, customId: null, SequenceResult.Failed("line_failed", "It failed."));
                failed++;
                continue;
            }

            var result = new SequenceOutput
            {
                Text = $"done {shard.FirstLine + i}",
                TokenIds = [1],
                Score = 0,
                FinishReason = FinishReason.Stop,
            };
            ShardOutput.Append(output, customId: null, new SequenceResult { Outputs = [result] });
        }

        await using var batch = Database.DataSource.CreateBatch();
        Add(
            batch,
            """
            UPDATE job
            SET lines_done = lines_done + $2, lines_failed = lines_failed + $3, shards_done = shards_done + 1,
                state = CASE WHEN shards_done + 1 = shards THEN 'completed' ELSE 'running' END,
                started_at = coalesce(started_at, now()),
                finished_at = CASE WHEN shards_done + 1 = shards THEN now() END,
                expires_at = CASE WHEN shards_done + 1 = shards THEN now() + retention END
            WHERE id = $1
            """,
            jobId,
            shard.Lines,
            failed
        );
        Add(
            batch,
            "UPDATE shard SET state = 'done', input = CASE WHEN $2 > 0 THEN input END WHERE id = $1",
            shard.Id,
            failed
        );
        Add(
            batch,
            "INSERT INTO shard_result (job_id, first_line, lines, failed, attempts, output) VALUES ($1, $2, $3, $4, 1, $5)",
            jobId,
            shard.FirstLine,
            shard.Lines,
            failed,
            output.WrittenSpan.ToArray()
        );
        Add(
            batch,
            "SELECT pg_notify($1, id::text) FROM job WHERE id = $2 AND finished_at IS NOT NULL",
            NotificationChannels.Ended,
            jobId
        );
        await batch.ExecuteNonQueryAsync(Cancellation);
    }

    /// <summary>Gives every line a result.</summary>
    public async Task FinishAllAsync(Guid jobId, Func<long, bool>? fails = null)
    {
        foreach (var shard in await ShardsAsync(jobId))
        {
            await FinishAsync(jobId, shard, fails);
        }
    }

    private T Get<T>()
        where T : notnull => _services.GetRequiredService<T>();

    private static void Add(NpgsqlBatch batch, string sql, params object[] parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (object parameter in parameters)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = parameter });
        }

        batch.BatchCommands.Add(command);
    }
}
