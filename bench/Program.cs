using System.Globalization;
using Seq2Seq.Bench.Kernels;
using Seq2Seq.Bench.Store;

// kernels [--threads N]: the kernels of the layers, one by one.
// store: what keeping a line in the database costs.
switch (args)
{
    case ["kernels", .. string[] rest]:
        LinearBenchmark.Run(Threads(rest), Console.Out);
        return 0;
    case ["store"]:
        await StoreBenchmark.RunAsync(Console.Out, CancellationToken.None);
        return 0;
    default:
        Console.Error.WriteLine("usage: bench kernels [--threads N] | store");
        return 2;
}

static int Threads(string[] options)
{
    int place = Array.IndexOf(options, "--threads");
    return place < 0 ? 1 : int.Parse(options[place + 1], CultureInfo.InvariantCulture);
}
