using System.Text.Json.Serialization;

namespace Seq2Seq.Bench.Profile;

/// <summary>
/// What the threads of the running batch do while lines are decoded, in shares of their samples. Each sample counts for the
/// innermost method that has a name below; what is none of these and not idle is other work: norms, embeddings, activations,
/// admitting lines.
/// </summary>
internal sealed record StepShares
{
    /// <summary>Namespaces, types and methods by what they are, the first that a name starts with.</summary>
    private static readonly (string Name, Action<Counts> Count)[] _kinds =
    [
        ("Seq2Seq.Inference.Layers.Kernels.Gemm", counts => counts.Gemm++),
        ("Seq2Seq.Inference.Layers.Kernels.Int8", counts => counts.Gemm++),
        ("Seq2Seq.Inference.Layers.Kernels.Avx", counts => counts.Gemm++),
        ("Seq2Seq.Inference.Layers.Kernels.SparseRows", counts => counts.Gemm++),
        ("Seq2Seq.Inference.Layers.PackedLinear", counts => counts.Gemm++),
        ("Seq2Seq.Inference.Layers.Int8Linear", counts => counts.Gemm++),
        ("Seq2Seq.Inference.Layers.CpuLinear", counts => counts.Gemm++),
        ("Seq2Seq.Inference.Layers.Kernels.AttentionKernel", counts => counts.Attention++),
        ("Seq2Seq.Inference.Layers.Attention", counts => counts.Attention++),
        ("Seq2Seq.Inference.Generation", counts => counts.Search++),
        ("Seq2Seq.Inference.Scheduling.ActiveLine", counts => counts.Search++),
        ("TorchSharp", counts => counts.Interop++),
        ("Seq2Seq.Inference.Devices.ComputeTeam.WaitForWork", counts => counts.Idle++),
        ("Seq2Seq.Inference.Devices.ComputeTeam.Close", counts => counts.Idle++),
        ("System.Threading.WaitHandle", counts => counts.Idle++),
        ("System.Threading.ManualResetEventSlim", counts => counts.Idle++),
        ("System.Threading.Monitor", counts => counts.Idle++),
        ("Seq2Seq.Inference.", counts => counts.Other++),
    ];

    /// <summary>Methods at the root of the threads that decode.</summary>
    private static readonly string[] _roots =
    [
        "Seq2Seq.Inference.Scheduling.DecodingLane.Run",
        "Seq2Seq.Inference.Devices.ComputeTeam.Work",
    ];

    /// <summary>Samples of the threads that decode.</summary>
    [JsonPropertyName("samples")]
    public required int Samples { get; init; }

    /// <summary>Matrix products of the layers, activations that are fused with them included.</summary>
    [JsonPropertyName("gemm")]
    public required double Gemm { get; init; }

    [JsonPropertyName("attention")]
    public required double Attention { get; init; }

    /// <summary>Choosing tokens and keeping hypotheses.</summary>
    [JsonPropertyName("search")]
    public required double Search { get; init; }

    /// <summary>Calls of libtorch.</summary>
    [JsonPropertyName("interop")]
    public required double Interop { get; init; }

    [JsonPropertyName("other")]
    public required double Other { get; init; }

    /// <summary>Waiting for lines, or for the other threads of a team.</summary>
    [JsonPropertyName("idle")]
    public required double Idle { get; init; }

    /// <param name="stacks">Names of methods, innermost first.</param>
    public static StepShares Of(IEnumerable<IReadOnlyList<string>> stacks)
    {
        Counts counts = new();
        foreach (IReadOnlyList<string> stack in stacks)
        {
            if (stack.Any(name => Array.Exists(_roots, root => name.StartsWith(root, StringComparison.Ordinal))))
            {
                Kind(stack)(counts);
                counts.All++;
            }
        }

        return new StepShares
        {
            Samples = counts.All,
            Gemm = Share(counts.Gemm),
            Attention = Share(counts.Attention),
            Search = Share(counts.Search),
            Interop = Share(counts.Interop),
            Other = Share(counts.Other),
            Idle = Share(counts.Idle),
        };

        double Share(int count) => counts.All == 0 ? 0 : (double)count / counts.All;
    }

    private static Action<Counts> Kind(IReadOnlyList<string> stack)
    {
        foreach (string name in stack)
        {
            foreach ((string start, Action<Counts> count) in _kinds)
            {
                if (name.StartsWith(start, StringComparison.Ordinal))
                {
                    return count;
                }
            }
        }

        return counts => counts.Other++;
    }

    private sealed class Counts
    {
        public int All { get; set; }
        public int Gemm { get; set; }
        public int Attention { get; set; }
        public int Search { get; set; }
        public int Interop { get; set; }
        public int Other { get; set; }
        public int Idle { get; set; }
    }
}
