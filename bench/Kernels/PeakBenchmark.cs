using System.Globalization;
using Seq2Seq.Bench.Measuring;
using Seq2Seq.Bench.Reporting;
using Seq2Seq.Inference.Devices;
using Seq2Seq.Inference.Layers;
using static TorchSharp.torch;

namespace Seq2Seq.Bench.Kernels;

/// <summary>The machine's peak: multiply-adds in registers, torch's own matrix product, and ours at the shape of a step.</summary>
internal sealed class PeakBenchmark : IBenchmark
{
    private const int Square = 1536;

    public string Id => "peak";

    public string Title => "Peak of the machine's cores together";

    /// <summary>torch's product of two square matrices on all cores, GFLOPS: what a library of the field gets out of the machine.</summary>
    public static double TorchGflops()
    {
        set_num_threads(Environment.ProcessorCount);
        using Tensor left = randn(Square, Square);
        using Tensor right = randn(Square, Square);
        using Tensor product = empty(Square, Square);
        Sample sample = Sample.Alternating(rounds: 9, minimumSeconds: 0.02, () => product.addmm_(left, right, beta: 0))[
            0
        ];
        return 2.0 * Square * Square * Square / sample.Median / 1e9;
    }

    public Task<BenchmarkSection> RunAsync(BenchmarkContext context, CancellationToken cancellationToken)
    {
        using ComputeTeam team = new(Environment.ProcessorCount, "bench");
        using ComputeTeam.Membership membership = team.Enter();
        const int rows = 128;
        const int narrow = 512;
        const int wide = 2048;
        using Tensor weight = randn(wide, narrow);
        using Linear layer = Linear.Create(weight, bias: null, ComputeType.Float32);
        using Rows input = new(narrow, CPU, rows);
        using Rows output = new(wide, CPU);
        input.Tensor.normal_();
        Sample ours = Sample.Alternating(rounds: 9, minimumSeconds: 0.02, () => layer.Forward(input, output))[0];
        List<IReadOnlyList<string>> table =
        [
            [$"torch, {Square} × {Square}, float32", Text(TorchGflops())],
            [
                $"our linear layer, {rows} rows, {narrow} → {wide}, float32",
                Text(2.0 * rows * narrow * wide / ours.Median / 1e9),
            ],
        ];
        if (MachinePeak.HasAvx2)
        {
            table.Insert(0, ["multiply-adds in registers", Text(MachinePeak.Gflops(MachinePeak.HasAvx512))]);
        }

        return Task.FromResult(
            new BenchmarkSection
            {
                Id = Id,
                Title = Title,
                Tables = [new ResultTable(["", "GFLOPS"], table)],
            }
        );
    }

    private static string Text(double number) => number.ToString("F0", CultureInfo.InvariantCulture);
}
