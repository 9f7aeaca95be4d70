using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Weights;

namespace Seq2Seq.Inference.Families;

/// <summary>A family of models: which configurations it takes and how a network is built from one.</summary>
internal interface IFamily
{
    /// <summary>The values of <c>model_type</c> that it takes.</summary>
    IReadOnlyList<string> ModelTypes { get; }

    /// <summary>
    /// Builds the network by taking every weight from <paramref name="weights"/>. It is called twice: first on tensors of
    /// the meta device, which have shapes but no values, then on the weights themselves. What it takes must not depend on values.
    /// </summary>
    /// <exception cref="ModelConfigurationException">A key of the configuration can't be used; names it.</exception>
    INetwork Build(ModelConfiguration configuration, WeightScope weights, NetworkOptions options);
}
