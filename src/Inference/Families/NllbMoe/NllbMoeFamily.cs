using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Weights;

namespace Seq2Seq.Inference.Families.NllbMoe;

/// <summary>NLLB-MoE (Costa-jussà et al. 2022, arXiv 2207.04672): M2M-100 with sparse feed-forwards.</summary>
internal sealed class NllbMoeFamily : IFamily
{
    public IReadOnlyList<string> ModelTypes { get; } = ["nllb-moe"];

    public INetwork Build(ModelConfiguration configuration, WeightScope weights, NetworkOptions options)
    {
        NllbMoeConfiguration read = NllbMoeConfiguration.Read(configuration, options.AsPublished);
        weights.Note(
            options.AsPublished
                ? "Tokens are sent to the experts that the router names, as published: transformers 5.17 sends all to the experts 0 and 1."
                : "Tokens are sent to the experts 0 and 1 of a layer, whichever the router names: transformers 5.17, whose tokens are those to equal, takes its mask of chosen experts for their numbers. The model setting AsPublished sends them where the router says."
        );
        return new NllbMoeNetwork(read, weights, options);
    }
}
