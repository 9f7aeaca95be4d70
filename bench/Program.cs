using System.Globalization;
using Seq2Seq.Bench.Kernels;
using Seq2Seq.Bench.Scheduling;
using Seq2Seq.Bench.Store;

switch (args)
{
    case ["kernels", .. string[] rest]:
        LinearBenchmark.Run(
            threads: Option(rest, "--threads") is { } threads ? int.Parse(threads, CultureInfo.InvariantCulture) : 1,
            shape: Option(rest, "--shape"),
            rows: Option(rest, "--rows"),
            Console.Out
        );
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
