using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Weights;

namespace Seq2Seq.Inference.Families.LongT5;

/// <summary>LongT5: T5 for long sources, with local or transient-global attention in the encoder.</summary>
internal sealed class LongT5Family : IFamily
{
    public IReadOnlyList<string> ModelTypes { get; } = ["longt5"];

    public INetwork Build(ModelConfiguration configuration, WeightScope weights, NetworkOptions options) =>
        new LongT5Network(LongT5Configuration.Read(configuration, weights), configuration, weights, options);
}
