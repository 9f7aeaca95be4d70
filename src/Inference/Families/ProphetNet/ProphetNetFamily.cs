using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Weights;

namespace Seq2Seq.Inference.Families.ProphetNet;

/// <summary>ProphetNet (Qi et al. 2020, arXiv 2001.04063).</summary>
internal sealed class ProphetNetFamily : IFamily
{
    public IReadOnlyList<string> ModelTypes { get; } = ["prophetnet"];

    public INetwork Build(ModelConfiguration configuration, WeightScope weights, NetworkOptions options) =>
        new ProphetNetNetwork(ProphetNetConfiguration.Read(configuration), weights, options);
}
