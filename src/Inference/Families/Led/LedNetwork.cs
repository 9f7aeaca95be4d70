using Seq2Seq.Inference.Families.Bart;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.Led;

/// <summary>
/// The weights of an LED (Beltagy et al. 2020, arXiv 2004.05150), by their names in models/led/modeling_led.py of
/// transformers: a BART's, and in the encoder projections of their own for tokens with global attention.
/// </summary>
// led.encoder.layers.N.self_attn.longformer_self_attn   query, key, value, and query_global, key_global, value_global
//                                output
internal sealed class LedNetwork : BartNetwork
{
    private static readonly BartVariant _variant = new()
    {
        Prefix = "led",
        LearnedPositionOffset = 0,
        HasEmbeddingNorm = true,
        HasGlobalAttention = true,
        EncoderAttention = new BartAttentionNames(
            "longformer_self_attn.query",
            "longformer_self_attn.key",
            "longformer_self_attn.value",
            "output"
        ),
    };

    public LedNetwork(LedConfiguration configuration, WeightScope weights, NetworkOptions options)
        : base(configuration.Base, _variant, weights, options)
    {
        using DisposeScope scope = NewDisposeScope();
        Radii = configuration.Radii;
        BartWeights take = new(configuration.Base, _variant, weights, options);
        GlobalQueryKeyValues =
        [
            .. Enumerable
                .Range(0, configuration.Base.EncoderLayers)
                .Select(index => weights["led"]["encoder"]["layers"][index]["self_attn"]["longformer_self_attn"])
                .Select(attention =>
                    take.Attention(attention["query_global"], attention["key_global"], attention["value_global"])
                ),
        ];
    }

    /// <summary>Of each encoder layer, the greatest distance at which a token sees another.</summary>
    public IReadOnlyList<int> Radii { get; }

    /// <summary>Of each encoder layer, the projections for tokens with global attention.</summary>
    public IReadOnlyList<Linear> GlobalQueryKeyValues { get; }

    public override IForwardPass CreateForwardPass() => new LedForwardPass(this);

    protected override void Dispose(bool disposing)
    {
        foreach (Linear projection in GlobalQueryKeyValues)
        {
            projection.Dispose();
        }

        base.Dispose(disposing);
    }
}
