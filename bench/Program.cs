using System.Globalization;
using Seq2Seq.Bench.Agreement;
using Seq2Seq.Bench.Engine;
using Seq2Seq.Bench.Kernels;
using Seq2Seq.Bench.Scheduling;
using Seq2Seq.Bench.Store;

switch (args)
{
    case ["kernels", .. string[] rest]:
        LinearBenchmark.Run(Number(rest, "--threads", 1), Option(rest, "--shape"), Option(rest, "--rows"), Console.Out);
        return 0;
    case ["engine", string model, string lines, .. string[] rest]:
        EngineRunOptions options = new()
        {
            Model = model,
            Lines = lines,
            Compute = Option(rest, "--compute") ?? "float32",
            Beam = Number(rest, "--beam", 1),
            Threads = Number(rest, "--threads", 1),
            Workers = Number(rest, "--workers", 1),
            MaxNew = Number(rest, "--max-new", 64),
            MinNew = Number(rest, "--min-new", 0),
            Batch = Number(rest, "--batch", 0),
            Limit = Number(rest, "--limit", int.MaxValue),
            Out = Option(rest, "--out"),
        };
        Console.WriteLine(EngineRun.ToJson(await EngineRun.RunAsync(options, CancellationToken.None)));
        return 0;
    case ["agreement", string models, .. string[] rest]:
        await AgreementBenchmark.RunAsync(models, Number(rest, "--lines", 100), Console.Out, CancellationToken.None);
        return 0;
    case ["store"]:
        await StoreBenchmark.RunAsync(Console.Out, CancellationToken.None);
        return 0;
    case ["scheduling"]:
        await SchedulingBenchmark.RunAsync(Console.Out, CancellationToken.None);
        return 0;
    default:
        Console.Error.WriteLine(
            """
            usage: bench kernels [--threads N] [--shape INxOUT] [--rows N,N,...]   the kernels of the layers, one by one
                   bench engine MODEL LINES.txt [--compute float32] [--beam 1] [--threads 1] [--workers 1] [--batch 0]
                                [--max-new 64] [--min-new 0] [--limit N] [--out OUT.txt]   the engine on a file of lines
                   bench agreement MODELS [--lines 100]                           narrower weights against float32, model by model
                   bench store                                                    what keeping a line in the database costs
                   bench scheduling                                               what running shards costs apart from the model
            """
        );
        return 2;
}

static string? Option(string[] options, string name)
{
    int place = Array.IndexOf(options, name);
    return place < 0 ? null : options[place + 1];
}

static int Number(string[] options, string name, int otherwise) =>
    Option(options, name) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
