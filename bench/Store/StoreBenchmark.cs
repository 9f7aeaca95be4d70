using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Jobs.Configuration;
using Seq2Seq.Jobs.Results;
using Seq2Seq.Jobs.Scheduling;
using Seq2Seq.Jobs.Sharding;
using Seq2Seq.Jobs.Storage;
using Seq2Seq.Jobs.Submission;
using Seq2Seq.Testing;

namespace Seq2Seq.Bench.Store;

/// <summary>
/// What keeping a line costs, from a thousand lines to a million: submitting a text stream, storing results shard by shard, and
/// reading them as JSON Lines. The memory is the process's peak so far, so it must not grow with the lines. Uses the server
/// that SEQ2SEQ_TEST_POSTGRES names, or a private one without durability.
/// </summary>
internal static class StoreBenchmark
{
    private const string Model = "letters";

    /// <param name="sizes">Lines of each job.</param>
    /// <param name="smallJobs">Jobs of ten lines, many at once.</param>
    /// <param name="output">Where a line goes for each.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    public static async Task RunAsync(
        IReadOnlyList<int> sizes,
        int smallJobs,
        TextWriter output,
        CancellationToken cancellationToken
    )
    {
        await using var server = new PostgresServer();
        string connectionString = await server.CreateDatabaseAsync(cancellationToken);
        await using (var services = Services(connectionString))
        {
            await output.WriteLineAsync("lines      submit s  µs/line  store s  µs/line  read s  µs/line  peak MiB");
            foreach (int lines in sizes)
            {
                await output.WriteLineAsync(await MeasureAsync(services, lines, cancellationToken));
            }

            await output.WriteLineAsync(await MeasureSmallJobsAsync(services, smallJobs, cancellationToken));
        }

        await server.DropDatabaseAsync(connectionString, cancellationToken);
    }

    private static async Task<string> MeasureAsync(
        IServiceProvider services,
        int lines,
        CancellationToken cancellationToken
    )
    {
        long started = Stopwatch.GetTimestamp();
        var submitted = await services
            .GetRequiredService<JobSubmitter>()
            .SubmitAsync(
                new JobRequest { Model = Model },
                InputFormats.All[0].ReadAsync(Lines(lines), cancellationToken),
                cancellationToken
            );
        double submit = Stopwatch.GetElapsedTime(started).TotalSeconds;

        started = Stopwatch.GetTimestamp();
        await StoreResultsAsync(services, submitted.Job.Id, cancellationToken);
        double store = Stopwatch.GetElapsedTime(started).TotalSeconds;

        started = Stopwatch.GetTimestamp();
        var results = services.GetRequiredService<ResultReader>().ReadAsync(submitted.Job.Id, 0, cancellationToken);
        await ResultFormats.All[0].WriteAsync(results, Stream.Null, cancellationToken);
        double read = Stopwatch.GetElapsedTime(started).TotalSeconds;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{lines, 9}  {submit, 8:F3}  {1e6 * submit / lines, 7:F2}  {store, 7:F3}  {1e6 * store / lines, 7:F2}  {read, 6:F3}  {1e6 * read / lines, 7:F2}  {PeakMebibytes(), 8:F0}"
        );
    }

    // As a worker stores them, but for the lease: every shard's input is read, and a result for each line written.
    private static async Task StoreResultsAsync(
        IServiceProvider services,
        Guid jobId,
        CancellationToken cancellationToken
    )
    {
        const string store = """
            WITH done AS (UPDATE shard SET state = 'done', input = NULL WHERE job_id = $1 AND first_line = $2)
            INSERT INTO shard_result (job_id, first_line, lines, failed, attempts, output) VALUES ($1, $2, $3, 0, 1, $4)
            """;
        var dataSource = services.GetRequiredService<NpgsqlDataSource>();
        var output = new ArrayBufferWriter<byte>();
        long line = 0;
        while (await ReadInputAsync(dataSource, jobId, line, cancellationToken) is { } input)
        {
            output.ResetWrittenCount();
            var sources = ShardInput.Read(input);
            foreach (var source in sources)
            {
                ShardOutput.Append(output, source.CustomId, Result(source.Text!));
            }

            await using var command = dataSource.CreateCommand(store);
            command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = jobId });
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = line });
            command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = sources.Count });
            command.Parameters.Add(new NpgsqlParameter { Value = output.WrittenMemory.ToArray() });
            await command.ExecuteNonQueryAsync(cancellationToken);
            line += sources.Count;
        }
    }

    private static async Task<byte[]?> ReadInputAsync(
        NpgsqlDataSource dataSource,
        Guid jobId,
        long firstLine,
        CancellationToken cancellationToken
    )
    {
        await using var command = dataSource.CreateCommand(
            "SELECT input FROM shard WHERE job_id = $1 AND first_line = $2"
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = jobId });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = firstLine });
        return (byte[]?)await command.ExecuteScalarAsync(cancellationToken);
    }

    private static async Task<string> MeasureSmallJobsAsync(
        IServiceProvider services,
        int jobs,
        CancellationToken cancellationToken
    )
    {
        var submitter = services.GetRequiredService<JobSubmitter>();
        long started = Stopwatch.GetTimestamp();
        await Parallel.ForAsync(
            0,
            jobs,
            new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = cancellationToken },
            async (_, token) =>
                await submitter.SubmitAsync(
                    new JobRequest { Model = Model },
                    InputFormats.All[0].ReadAsync(Lines(10), token),
                    token
                )
        );
        double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{jobs} jobs of 10 lines, 8 at once: {seconds:F2} s, {jobs / seconds:F0} jobs/s; peak {PeakMebibytes():F0} MiB"
        );
    }

    private static ServiceProvider Services(string connectionString)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton(JobsDataSource.Create(connectionString, loggerFactory: null));
        services.Configure<ModelsOptions>(models => models.Add(Model, new ModelOptions { Folder = "." }));
        services.AddOptions<JobsOptions>();
        services.AddSingleton<DatabaseListener>();
        services.AddJobStore();
        return services.BuildServiceProvider();
    }

    private static NumberedLines Lines(int count) =>
        new(count, i => FormattableString.Invariant($"The quick brown fox no. {i} jumps."));

    private static SequenceResult Result(string text) =>
        new()
        {
            Outputs =
            [
                new SequenceOutput
                {
                    Text = text,
                    TokenIds = [8774, 31, 7, 512, 90, 3, 1],
                    Score = -0.4375,
                    FinishReason = FinishReason.Stop,
                },
            ],
        };

    private static double PeakMebibytes()
    {
        using var process = Process.GetCurrentProcess();
        return process.PeakWorkingSet64 / 1048576.0;
    }
}
