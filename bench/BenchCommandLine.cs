using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Seq2Seq.Bench.Agreement;
using Seq2Seq.Bench.Comparing;
using Seq2Seq.Bench.Engine;
using Seq2Seq.Bench.Kernels;
using Seq2Seq.Bench.Loading;
using Seq2Seq.Bench.Measuring;
using Seq2Seq.Bench.Peers;
using Seq2Seq.Bench.Profile;
using Seq2Seq.Bench.Reporting;
using Seq2Seq.Bench.Scheduling;
using Seq2Seq.Bench.Store;
using Seq2Seq.Bench.Workloads;

namespace Seq2Seq.Bench;

/// <summary>
/// The front: without a command it runs every part and writes the report; the commands run one thing, here in this process,
/// and print it.
/// </summary>
internal static class BenchCommandLine
{
    /// <summary>Names the peers' folder, as <c>--peers</c> does.</summary>
    private const string PeersVariable = "SEQ2SEQ_BENCH_PEERS";

    public static RootCommand Build()
    {
        var peers = new Option<string?>("--peers")
        {
            Description = $"Folder of the peers: python, peers.py, bench_models.py [{PeersVariable}]",
        };
        var models = new Option<string?>("--models")
        {
            Description = "Folder of the benchmark models, lines and settings [~/.cache/seq2seq-bench]",
        };
        var rows = new Option<string[]>("--rows")
        {
            Description = "Rows to run, separated by commas: " + string.Join(", ", Ids()),
            AllowMultipleArgumentsPerToken = true,
        };
        var runs = new Option<int>("--runs")
        {
            Description = "Alternating runs of each thing",
            DefaultValueFactory = _ => 5,
        };
        var seconds = new Option<int>("--row-seconds")
        {
            Description = "Most time for the alternating runs of a row, if three of each are done by then",
            DefaultValueFactory = _ => 120,
        };
        var search = new Option<bool>("--search") { Description = "Search for the best settings again" };
        var machine = new Option<string?>("--machine") { Description = "Name of the report [of the processor]" };
        var output = new Option<string>("--output")
        {
            Description = "Folder of the report",
            DefaultValueFactory = _ => Path.Combine("bench", "results"),
        };
        var root = new RootCommand("Measures everything and writes the report, or one thing and prints it.")
        {
            EngineCommand(),
            ProfileCommand(),
            LoadCommand(),
            KernelsCommand(),
            AgreementCommand(),
            StoreCommand(),
            SchedulingCommand(),
            PlainHangfireCommand(),
            EnqueueCommand(),
        };
        foreach (Option option in new Option[] { peers, models, rows, runs, seconds, search, machine, output })
        {
            root.Options.Add(option);
        }

        root.SetAction(
            (parsed, cancellationToken) =>
            {
                string? variable = Environment.GetEnvironmentVariable(PeersVariable);
                return RunAllAsync(
                    parsed.GetValue(models) ?? DefaultModels(),
                    parsed.GetValue(peers) ?? (string.IsNullOrEmpty(variable) ? null : variable),
                    [.. (parsed.GetValue(rows) ?? []).SelectMany(row => row.Split(','))],
                    parsed.GetValue(runs),
                    TimeSpan.FromSeconds(parsed.GetValue(seconds)),
                    parsed.GetValue(search),
                    Machine.Describe(parsed.GetValue(machine)),
                    parsed.GetRequiredValue(output),
                    cancellationToken
                );
            }
        );
        return root;
    }

    private static async Task<int> RunAllAsync(
        string models,
        string? peerFolder,
        string[] rows,
        int runs,
        TimeSpan budget,
        bool searches,
        Machine machine,
        string output,
        CancellationToken cancellationToken
    )
    {
        BenchmarkScale scale = new();
        IReadOnlyList<IBenchmark> parts = BenchmarkRun.Parts(scale);
        if (rows.FirstOrDefault(row => parts.All(part => part.Id != row)) is { } unknown)
        {
            await Console.Error.WriteLineAsync($"bench: no row '{unknown}'; rows are {string.Join(", ", Ids())}.");
            return 2;
        }

        PeerFolder? peers = null;
        try
        {
            peers = peerFolder is null ? null : PeerFolder.Open(peerFolder);
        }
        catch (ArgumentException e)
        {
            await Console.Error.WriteLineAsync("bench: " + e.Message);
            return 2;
        }

        BenchmarkFiles files = new(Directory.GetCurrentDirectory(), Path.GetFullPath(models));
        using BenchmarkContext context = new()
        {
            Scale = scale,
            Files = files,
            Settings = new SettingsStore(files.Settings),
            Peers = peers,
            Rounds = runs,
            Budget = budget,
            SearchesAgain = searches,
            Progress = text => Console.Error.WriteLine($"{TimeProvider.System.GetLocalNow():HH:mm:ss} {text}"),
        };
        BenchmarkReport? former = BenchmarkReport.Read(Path.Combine(output, machine.Name + ".json"));
        BenchmarkReport report = new()
        {
            Machine = machine.Description,
            Peers = peers is null ? former?.Peers : await peers.VersionsAsync(cancellationToken),
            Sections = former?.Sections ?? [],
        };
        bool all = await BenchmarkRun.RunAsync(
            rows.Length == 0 ? parts : [.. parts.Where(part => rows.Contains(part.Id))],
            context,
            report,
            written => written.Write(output, machine.Name),
            cancellationToken
        );
        Console.WriteLine(Path.Combine(output, machine.Name + ".md"));
        return all ? 0 : 1;
    }

    private static Command EngineCommand()
    {
        var command = new Command("engine", "Our engine on a file of lines; prints what it took.");
        EngineRunArguments arguments = new(command);
        command.SetAction(
            async (parsed, cancellationToken) =>
            {
                EngineRunResult result = await EngineRun.RunAsync(arguments.Read(parsed), null, cancellationToken);
                Console.WriteLine(JsonSerializer.Serialize(result));
            }
        );
        return command;
    }

    private static Command ProfileCommand()
    {
        var command = new Command("profile", "The same, sampled; prints where the time of a step goes.");
        EngineRunArguments arguments = new(command);
        command.SetAction(
            async (parsed, cancellationToken) =>
            {
                StackSampler? sampler = null;
                await EngineRun.RunAsync(arguments.Read(parsed), () => sampler = new StackSampler(), cancellationToken);
                Console.WriteLine(JsonSerializer.Serialize(StepShares.Of(sampler!.ReadStacks())));
            }
        );
        return command;
    }

    private static Command LoadCommand()
    {
        var model = new Argument<string>("MODEL") { Description = "A Hugging Face folder" };
        var compute = new Option<string>("--compute") { DefaultValueFactory = _ => "float32" };
        var command = new Command("load", "Loads a model from the disk; prints what that took.") { model, compute };
        command.SetAction(
            async (parsed, cancellationToken) =>
            {
                LoadRunResult result = await LoadRun.RunAsync(
                    parsed.GetRequiredValue(model),
                    parsed.GetRequiredValue(compute),
                    cancellationToken
                );
                Console.WriteLine(JsonSerializer.Serialize(result));
            }
        );
        return command;
    }

    private static Command KernelsCommand()
    {
        var threads = new Option<int>("--threads") { DefaultValueFactory = _ => 1 };
        var shape = new Option<string?>("--shape") { Description = "One shape only, such as 512x2048" };
        var rows = new Option<string?>("--rows") { Description = "Numbers of rows, separated by commas" };
        var command = new Command("kernels", "The kernels of the layers, one by one.") { threads, shape, rows };
        command.SetAction(parsed =>
            LinearBenchmark.Run(parsed.GetValue(threads), parsed.GetValue(shape), parsed.GetValue(rows), Console.Out)
        );
        return command;
    }

    private static Command AgreementCommand()
    {
        var models = new Argument<string>("models") { Description = "Folder of model folders with a cases.json each" };
        var lines = new Option<int>("--lines") { Description = "Lines for each model", DefaultValueFactory = _ => 100 };
        var command = new Command("agreement", "Narrower weights against float32, model by model.") { models, lines };
        command.SetAction(
            (parsed, cancellationToken) =>
                AgreementBenchmark.RunAsync(
                    parsed.GetRequiredValue(models),
                    parsed.GetValue(lines),
                    Console.Out,
                    cancellationToken
                )
        );
        return command;
    }

    private static Command StoreCommand()
    {
        var lines = new Option<string>("--lines")
        {
            Description = "Lines of each job, separated by commas",
            DefaultValueFactory = _ => "1000,1000,10000,100000,1000000",
        };
        var jobs = new Option<int>("--jobs") { Description = "Jobs of ten lines", DefaultValueFactory = _ => 10_000 };
        var command = new Command("store", "What keeping a line in the database costs.") { lines, jobs };
        command.SetAction(
            (parsed, cancellationToken) =>
                StoreBenchmark.RunAsync(
                    [
                        .. parsed
                            .GetRequiredValue(lines)
                            .Split(',')
                            .Select(count => int.Parse(count, CultureInfo.InvariantCulture)),
                    ],
                    parsed.GetValue(jobs),
                    Console.Out,
                    cancellationToken
                )
        );
        return command;
    }

    private static Command SchedulingCommand()
    {
        var jobs = new Option<int>("--jobs") { DefaultValueFactory = _ => 500 };
        var shards = new Option<int>("--shards") { DefaultValueFactory = _ => 2000 };
        var idle = new Option<double>("--idle-seconds") { DefaultValueFactory = _ => 60 };
        var command = new Command("scheduling", "What running shards costs apart from the model.")
        {
            jobs,
            shards,
            idle,
        };
        command.SetAction(
            (parsed, cancellationToken) =>
                SchedulingBenchmark.RunAsync(
                    parsed.GetValue(jobs),
                    parsed.GetValue(shards),
                    TimeSpan.FromSeconds(parsed.GetValue(idle)),
                    Console.Out,
                    cancellationToken
                )
        );
        return command;
    }

    private static Command PlainHangfireCommand()
    {
        var database = new Argument<string>("DATABASE") { Description = "A connection string" };
        var latencies = new Argument<int>("LATENCIES");
        var jobs = new Argument<int>("JOBS");
        var command = new Command("plain-hangfire", "The part of scheduling that is plain Hangfire's.")
        {
            database,
            latencies,
            jobs,
        };
        command.Hidden = true;
        command.SetAction(
            (parsed, cancellationToken) =>
                PlainHangfire.WorkAsync(
                    parsed.GetRequiredValue(database),
                    parsed.GetValue(latencies),
                    parsed.GetValue(jobs),
                    Console.Out,
                    cancellationToken
                )
        );
        return command;
    }

    private static Command EnqueueCommand()
    {
        var database = new Argument<string>("DATABASE") { Description = "A connection string" };
        var first = new Argument<int>("FIRST");
        var count = new Argument<int>("COUNT");
        var command = new Command("enqueue", "The other process of scheduling: enqueues jobs of plain Hangfire.")
        {
            database,
            first,
            count,
        };
        command.Hidden = true;
        command.SetAction(
            (parsed, cancellationToken) =>
                PlainHangfire.EnqueueAsync(
                    parsed.GetRequiredValue(database),
                    parsed.GetValue(first),
                    parsed.GetValue(count),
                    Console.Out,
                    cancellationToken
                )
        );
        return command;
    }

    private static IEnumerable<string> Ids() => BenchmarkRun.Parts(new BenchmarkScale()).Select(part => part.Id);

    private static string DefaultModels() =>
        Path.Combine(
            Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } cache
                ? cache
                : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache"),
            "seq2seq-bench"
        );
}
