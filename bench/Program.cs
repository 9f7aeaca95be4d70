using System.Globalization;
using Seq2Seq.Bench.Kernels;

// kernels [--threads N]: the kernels of the layers, one by one.
switch (args)
{
    case ["kernels", .. string[] rest]:
        LinearBenchmark.Run(Threads(rest), Console.Out);
        return 0;
    default:
        Console.Error.WriteLine("usage: bench kernels [--threads N]");
        return 2;
}

static int Threads(string[] options)
{
    int place = Array.IndexOf(options, "--threads");
    return place < 0 ? 1 : int.Parse(options[place + 1], CultureInfo.InvariantCulture);
}
