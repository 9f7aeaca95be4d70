using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Weights;

namespace Seq2Seq.Inference.Families.T5;

/// <summary>T5, its first version and 1.1, and what differs from it in a few choices: FLAN-T5, ByT5, mT5, umT5.</summary>
internal sealed class T5Family : IFamily
{
    public IReadOnlyList<string> ModelTypes { get; } = ["t5", "mt5", "umt5"];

    public INetwork Build(ModelConfiguration configuration, WeightScope weights, NetworkOptions options) =>
        new T5Network(T5Configuration.Read(configuration), configuration, weights, options);
}
