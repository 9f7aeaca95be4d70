using Seq2Seq.Inference.Families.Bart;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Weights;

namespace Seq2Seq.Inference.Families.Mbart;

/// <summary>mBART and mBART-50.</summary>
internal sealed class MbartFamily : IFamily
{
    private static readonly BartVariant _variant = new()
    {
        LearnedPositionOffset = 2,
        HasEmbeddingNorm = true,
        FinalNorm = "layer_norm",
        StartsTargetsFromTheirEnd = true,
        CreateForwardPass = network => new MbartForwardPass(network),
    };

    public IReadOnlyList<string> ModelTypes { get; } = ["mbart"];

    public INetwork Build(ModelConfiguration configuration, WeightScope weights, NetworkOptions options) =>
        new BartNetwork(BartConfiguration.Read(configuration, new BartDefaults()), _variant, weights, options);
}
