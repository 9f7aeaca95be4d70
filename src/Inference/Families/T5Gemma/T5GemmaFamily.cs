using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Weights;

namespace Seq2Seq.Inference.Families.T5Gemma;

/// <summary>T5Gemma: an encoder and a decoder made of Gemma 2's blocks.</summary>
internal sealed class T5GemmaFamily : IFamily
{
    public IReadOnlyList<string> ModelTypes { get; } = ["t5gemma"];

    public INetwork Build(ModelConfiguration configuration, WeightScope weights, NetworkOptions options) =>
        new T5GemmaNetwork(T5GemmaConfiguration.Read(configuration), weights, options);
}
