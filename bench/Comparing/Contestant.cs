using System.Globalization;
using Seq2Seq.Bench.Engine;
using Seq2Seq.Bench.Measuring;
using Seq2Seq.Bench.Peers;

namespace Seq2Seq.Bench.Comparing;

/// <summary>An engine with a compute type: ours or a peer's, each run in a process of its own.</summary>
internal sealed record Contestant
{
    /// <summary>Names the engine: ours.</summary>
    public const string Ours = "ours";

    /// <summary>CTranslate2, as the peers' script calls it.</summary>
    public const string CTranslate2 = "ct2";

    /// <summary>Hugging Face transformers, as the peers' script calls it.</summary>
    public const string Transformers = "hf";

    /// <summary>CTranslate2 without a tokenizer in its process.</summary>
    public const string CTranslate2Alone = "ct2-alone";

    public required string Engine { get; init; }
    public string Compute { get; init; } = "float32";

    /// <summary>Lines it gets, of the workload's; rates are compared.</summary>
    public int Limit { get; init; } = int.MaxValue;

    /// <summary>Generation parameters beyond the workload's, as JSON. Ours alone.</summary>
    public string? Parameters { get; init; }

    /// <summary>Savings that it has to do without, of <see cref="SavingNames"/>. Ours alone.</summary>
    public IReadOnlyList<string> Without { get; init; } = [];

    /// <summary>What sets it apart from another contestant with the same engine and compute type.</summary>
    public string? With { get; init; }

    /// <summary>What to try; the best runs against the others. One is simply taken.</summary>
    public required IReadOnlyList<EngineSettings> Candidates { get; init; }

    public string Name =>
        Engine switch
        {
            CTranslate2 => "CTranslate2",
            CTranslate2Alone => "CTranslate2 alone",
            Transformers => "transformers",
            _ => Engine,
        }
        + " "
        + Compute
        + (With is null ? "" : " " + With);

    /// <summary>Runs it once.</summary>
    public Task<EngineRunResult> RunAsync(
        EngineRunOptions options,
        PeerFolder? peers,
        CancellationToken cancellationToken
    )
    {
        string python = peers?.Python ?? "";
        return Engine switch
        {
            Ours => ChildProcess.RunAsync<EngineRunResult>(
                ChildProcess.Bench,
                [
                    "engine",
                    options.Model,
                    options.Lines,
                    .. Words(options),
                    .. Without.SelectMany(saving => new[] { "--without", saving }),
                ],
                cancellationToken
            ),
            CTranslate2Alone => ChildProcess.RunAsync<EngineRunResult>(
                python,
                [
                    Path.Combine(AppContext.BaseDirectory, "Peers", "ct2_alone.py"),
                    options.Model + ".ct2",
                    options.Lines,
                    .. Words(options with { Limit = int.MaxValue, Out = null }),
                ],
                cancellationToken
            ),
            _ => ChildProcess.RunAsync<EngineRunResult>(
                python,
                [peers?.Script ?? "", Engine, options.Model, options.Lines, .. Words(options)],
                cancellationToken
            ),
        };
    }

    private static List<string> Words(EngineRunOptions options)
    {
        List<string> words =
        [
            "--compute",
            options.Compute,
            "--beam",
            Text(options.Beam),
            "--batch",
            Text(options.Batch),
            "--threads",
            Text(options.Threads),
            "--workers",
            Text(options.Workers),
            "--max-new",
            Text(options.MaxNew),
            "--min-new",
            Text(options.MinNew),
        ];
        if (options.Limit != int.MaxValue)
        {
            words.AddRange(["--limit", Text(options.Limit)]);
        }

        if (options.Parameters is not null)
        {
            words.AddRange(["--parameters", options.Parameters]);
        }

        if (options.Out is not null)
        {
            words.AddRange(["--out", options.Out]);
        }

        return words;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}

/// <summary>How an engine divides lines and cores.</summary>
/// <param name="Workers">Models side by side.</param>
/// <param name="Threads">Cores of each.</param>
/// <param name="Batch">Lines at once; 0 lets the engine see to it.</param>
internal sealed record EngineSettings(int Workers, int Threads, int Batch)
{
    /// <summary>One worker of all cores, or one of each core.</summary>
    public static IReadOnlyList<EngineSettings> AllCores(int batch)
    {
        int cores = Environment.ProcessorCount;
        return cores == 1 ? [new(1, 1, batch)] : [new(1, cores, batch), new(cores, 1, batch)];
    }

    /// <summary>One worker of all cores, or of one: a line at a time leaves nothing to divide.</summary>
    public static IReadOnlyList<EngineSettings> OneLine { get; } =
        Environment.ProcessorCount == 1 ? [new(1, 1, 1)] : [new(1, Environment.ProcessorCount, 1), new(1, 1, 1)];

    public override string ToString() =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{Workers} × {Threads} {(Threads == 1 ? "thread" : "threads")}{(Batch == 0 ? "" : $", batch {Batch}")}"
        );
}
