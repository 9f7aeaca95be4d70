using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Weights;

namespace Seq2Seq.Inference.Families.SwitchTransformers;

/// <summary>Switch Transformers: T5 whose feed-forwards are, in some layers, one of many experts for each token.</summary>
internal sealed class SwitchFamily : IFamily
{
    public IReadOnlyList<string> ModelTypes { get; } = ["switch_transformers"];

    public INetwork Build(ModelConfiguration configuration, WeightScope weights, NetworkOptions options) =>
        new SwitchNetwork(SwitchConfiguration.Read(configuration), configuration, weights, options);
}
