using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Weights;

namespace Seq2Seq.Inference.Families.T5Gemma2;

/// <summary>T5Gemma 2 on text: an encoder and a decoder made of Gemma 3's blocks. Its eye for images is not loaded.</summary>
internal sealed class T5Gemma2Family : IFamily
{
    public IReadOnlyList<string> ModelTypes { get; } = ["t5gemma2"];

    public INetwork Build(ModelConfiguration configuration, WeightScope weights, NetworkOptions options) =>
        new T5Gemma2Network(T5Gemma2Configuration.Read(configuration), weights, options);
}
