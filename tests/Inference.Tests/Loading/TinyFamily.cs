using Seq2Seq.Inference.Families;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Weights;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Tests.Loading;

/// <summary>
/// A family as small as one can be: a tied embedding, <c>num_layers</c> square matrices and an optional bias. It lets the
/// tests of loading stand on their own feet.
/// </summary>
internal sealed class TinyFamily : IFamily
{
    public static FamilyRegistry Registry { get; } = new([new TinyFamily()]);

    public IReadOnlyList<string> ModelTypes => ["tiny"];

    public INetwork Build(ModelConfiguration configuration, WeightScope weights, NetworkOptions options)
    {
        int vocabulary = configuration.Root.Size("vocab_size");
        int model = configuration.Root.Size("d_model");
        int layers = configuration.Root.Size("num_layers", 1);
        var network = new TinyNetwork();
        network.Tensors.Add(weights.TakeTied(["shared.weight", "lm_head.weight"], vocabulary, model));
        for (int layer = 0; layer < layers; layer++)
        {
            network.Tensors.Add(weights["layers"][layer].Take("weight", model, model));
        }

        if (weights.TakeOptional("bias", model) is { } bias)
        {
            network.Tensors.Add(bias);
        }

        return network;
    }
}

internal sealed class TinyNetwork : INetwork
{
    public List<Tensor> Tensors { get; } = [];

    public NetworkShape Shape => throw new NotSupportedException();

    public GenerationDefaults GenerationDefaults => throw new NotSupportedException();

    public IForwardPass CreateForwardPass() => throw new NotSupportedException();

    public void Dispose() => Tensors.ForEach(tensor => tensor.Dispose());
}
