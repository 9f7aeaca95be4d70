using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Weights;

namespace Seq2Seq.Inference.Families.Led;

/// <summary>LED, the Longformer's encoder and decoder (Beltagy et al. 2020, arXiv 2004.05150).</summary>
internal sealed class LedFamily : IFamily
{
    public IReadOnlyList<string> ModelTypes { get; } = ["led"];

    public INetwork Build(ModelConfiguration configuration, WeightScope weights, NetworkOptions options) =>
        new LedNetwork(LedConfiguration.Read(configuration), weights, options);
}
