using Seq2Seq.Inference.Families.Bart;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Weights;

namespace Seq2Seq.Inference.Families.Led;

/// <summary>LED, the Longformer's encoder and decoder (Beltagy et al. 2020, arXiv 2004.05150).</summary>
internal sealed class LedFamily : IFamily
{
    private static readonly string[] _globalParts = ["query_global", "key_global", "value_global"];

    public IReadOnlyList<string> ModelTypes { get; } = ["led"];

    public INetwork Build(ModelConfiguration configuration, WeightScope weights, NetworkOptions options)
    {
        LedConfiguration read = LedConfiguration.Read(configuration);
        VerifyGlobalAttention(read.Base, weights);
        BartVariant variant = new()
        {
            Prefix = "led",
            LearnedPositionOffset = 0,
            HasEmbeddingNorm = true,
            EncoderAttention = new BartAttentionNames(
                "longformer_self_attn.query",
                "longformer_self_attn.key",
                "longformer_self_attn.value",
                "output"
            ),
            CreateForwardPass = network => new LedForwardPass(network, read.Radii),
        };
        return new BartNetwork(read.Base, variant, weights, options);
    }

    /// <summary>Tokens with global attention are named by the caller in transformers, none by default: the layers only have to be there.</summary>
    private static void VerifyGlobalAttention(BartConfiguration configuration, WeightScope weights)
    {
        for (int i = 0; i < configuration.EncoderLayers; i++)
        {
            WeightScope attention = weights["led"]["encoder"]["layers"][i]["self_attn"]["longformer_self_attn"];
            foreach (string part in _globalParts)
            {
                attention[part].Take("weight", configuration.ModelWidth, configuration.ModelWidth).Dispose();
                attention[part].Take("bias", configuration.ModelWidth).Dispose();
            }
        }
    }
}
