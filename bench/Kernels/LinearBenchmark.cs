using System.Globalization;
using Seq2Seq.Bench.Measuring;
using Seq2Seq.Inference.Devices;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Attention;
using Seq2Seq.Inference.Layers.Kernels;
using Seq2Seq.Inference.Layers.Matrices;
using static TorchSharp.torch;

namespace Seq2Seq.Bench.Kernels;

/// <summary>
/// The kernels of linear layers at the shapes of the bundled model and of t5-small, in GFLOPS. Of a screen, which does without
/// most of the product, the GFLOPS of the whole.
/// </summary>
internal static class LinearBenchmark
{
    private static readonly (int In, int Out)[] Shapes =
    [
        (192, 256),
        (192, 768),
        (768, 192),
        (512, 512),
        (512, 2048),
        (2048, 512),
        (512, 32128),
    ];

    private static readonly int[] RowCounts = [1, 2, 4, 8, 16, 32, 64, 128, 256, 1024];

    public static void Run(int threads, string? shape, string? rows, TextWriter output)
    {
        using ComputeTeam team = new(threads, "bench");
        using ComputeTeam.Membership membership = team.Enter();
        set_num_threads(threads);
        double narrowPeak = MachinePeak.HasAvx2 ? MachinePeak.Gflops(wide: false) : double.NaN;
        double widePeak = MachinePeak.HasAvx512 ? MachinePeak.Gflops(wide: true) : double.NaN;
        output.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"Threads: {threads}. Peak: AVX2 {narrowPeak:F0} GFLOPS, AVX-512 {widePeak:F0} GFLOPS."
            )
        );
        output.WriteLine();
        int[] rowCounts = rows is null
            ? RowCounts
            : [.. rows.Split(',').Select(count => int.Parse(count, CultureInfo.InvariantCulture))];
        foreach ((int inFeatures, int outFeatures) in Shapes)
        {
            if (shape is null || shape == $"{inFeatures}x{outFeatures}")
            {
                RunShape(inFeatures, outFeatures, rowCounts, output);
            }
        }
    }

    private static void RunShape(int inFeatures, int outFeatures, int[] rowCounts, TextWriter output)
    {
        using Tensor weight = randn(outFeatures, inFeatures);
        List<(string Name, Linear Layer)> layers = [("torch", new PlainLinear(weight, bias: null, ScalarType.Float32))];
        if (MachinePeak.HasAvx2)
        {
            AddPacked<Avx2Tiles>(layers, "AVX2", weight);
        }

        if (MachinePeak.HasAvx512)
        {
            AddPacked<Avx512Tiles>(layers, "AVX-512", weight);
        }

        AddInt8<Avx2Arithmetic>(layers, "int8 AVX2", weight);
        AddInt8<VnniArithmetic>(layers, "int8 VNNI", weight);
        using Linear exact = Linear.Create(weight, bias: null, ComputeType.Float32);
        using VocabularyScreen? screen = VocabularyScreen.Create(exact);
        string[] names = [.. layers.Select(layer => layer.Name), .. screen is null ? [] : new[] { "screened" }];
        output.WriteLine($"| {inFeatures} → {outFeatures}, GFLOPS | {string.Join(" | ", names)} |");
        output.WriteLine($"|---|{string.Concat(names.Select(_ => "---:|"))}");
        foreach (int count in rowCounts)
        {
            using Rows input = new(inFeatures, CPU, count);
            using Rows result = new(outFeatures, CPU);
            input.Tensor.normal_();
            DecoderBatch likeliest = LikeliestOf(count);
            Sample[] samples = Sample.Alternating(
                rounds: 9,
                minimumSeconds: 0.005,
                [
                    .. layers.Select(layer => (Action)(() => layer.Layer.Forward(input, result))),
                    .. screen is null ? [] : new[] { () => screen.Forward(input, likeliest, result) },
                ]
            );
            double operations = 2.0 * count * inFeatures * outFeatures;
            IEnumerable<string> cells = samples.Select(sample =>
                (operations / sample.Best / 1e9).ToString("F0", CultureInfo.InvariantCulture)
            );
            output.WriteLine($"| {count} rows | {string.Join(" | ", cells)} |");
        }

        output.WriteLine();
        layers.ForEach(layer => layer.Layer.Dispose());
    }

    /// <summary>Rows that ask for their likeliest output alone.</summary>
    private static DecoderBatch LikeliestOf(int rows)
    {
        DecoderBatch batch = new(cache: null!, memory: null!);
        for (int row = 0; row < rows; row++)
        {
            batch.Add(tokenId: 0, [row], memoryStart: 0, memoryLength: 1);
            batch.AskForLikeliest([]);
        }

        return batch;
    }

    private static void AddPacked<TTiles>(List<(string Name, Linear Layer)> layers, string name, Tensor weight)
        where TTiles : ITiles
    {
        layers.Add((name, new PackedLinear<TTiles, Float32Format>(new TensorMatrix(weight), bias: null)));
        layers.Add(($"{name}, float16", new PackedLinear<TTiles, Float16Format>(new TensorMatrix(weight), bias: null)));
    }

    private static void AddInt8<TArithmetic>(List<(string Name, Linear Layer)> layers, string name, Tensor weight)
        where TArithmetic : struct, IInt8Arithmetic
    {
        if (TArithmetic.IsSupported)
        {
            layers.Add((name, new Int8Linear<TArithmetic>(new TensorMatrix(weight), bias: null)));
        }
    }
}
