using System.Globalization;
using Seq2Seq.Bench.Kernels;
using Seq2Seq.Bench.Scheduling;

// kernels [--threads N]: the kernels of the layers, one by one.
// scheduling: what running shards costs apart from the model.
switch (args)
{
    case ["kernels", .. string[] rest]:
        LinearBenchmark.Run(Threads(rest), Console.Out);
        return 0;
    case ["scheduling"]:
        await SchedulingBenchmark.RunAsync(Console.Out, CancellationToken.None);
        return 0;
    default:
        Console.Error.WriteLine("usage: bench kernels [--threads N] | scheduling");
        return 2;
}

static int Threads(string[] options)
{
    int place = Array.IndexOf(options, "--threads");
    return place < 0 ? 1 : int.Parse(options[place + 1], CultureInfo.InvariantCulture);
}
