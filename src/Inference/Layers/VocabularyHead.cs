using Seq2Seq.Inference.Devices;
using Seq2Seq.Inference.Layers.Matrices;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Layers;

/// <summary>The projection to the vocabulary as a network is built, and what it was made of: token embeddings may be tied to it.</summary>
/// <param name="Layer">Model width → vocabulary.</param>
/// <param name="Weight">What the layer was made of.</param>
internal sealed record VocabularyHead(Linear Layer, WeightMatrix Weight)
{
    /// <param name="weight"><c>[vocabulary, model]</c></param>
    /// <param name="bias"><c>[vocabulary]</c>, or null.</param>
    /// <param name="computeType">Type to hold the weight in.</param>
    public static VocabularyHead Create(WeightMatrix weight, Tensor? bias, ComputeType computeType) =>
        new(Linear.Create(weight, bias, computeType), weight);

    /// <summary>Token embeddings; where they are the head's own weight they have no table of their own.</summary>
    /// <param name="table"><c>[vocabulary, model]</c></param>
    /// <param name="scale">What vectors are multiplied by.</param>
    public Embedding Embed(WeightMatrix table, double scale = 1)
    {
        if (ReferenceEquals(table, Weight) && Layer.HoldsWeights)
        {
            return new Embedding(Layer, scale);
        }

        using Tensor tensor = table.ToTensor();
        return new Embedding(tensor, scale);
    }
}
