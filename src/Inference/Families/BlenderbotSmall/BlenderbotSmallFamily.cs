using Seq2Seq.Inference.Families.Bart;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Weights;

namespace Seq2Seq.Inference.Families.BlenderbotSmall;

/// <summary>Blenderbot's smallest model (Roller et al. 2020, arXiv 2004.13637), which is a BART rather than a Blenderbot.</summary>
internal sealed class BlenderbotSmallFamily : IFamily
{
    private static readonly BartVariant _variant = new()
    {
        LearnedPositionOffset = 0,
        HasEmbeddingNorm = true,
        CreateForwardPass = network => new BlenderbotSmallForwardPass(network),
    };

    private static readonly BartDefaults _defaults = new()
    {
        ModelWidth = 512,
        EncoderLayers = 8,
        DecoderLayers = 8,
        FeedForwardWidth = 2048,
        MaxSourcePositions = 512,
        MaxTargetPositions = 512,
        Generation = new GenerationParameters
        {
            BosTokenId = 1,
            PadTokenId = 0,
            EosTokenId = [2],
            DecoderStartTokenId = 1,
        },
    };

    public IReadOnlyList<string> ModelTypes { get; } = ["blenderbot-small"];

    public INetwork Build(ModelConfiguration configuration, WeightScope weights, NetworkOptions options) =>
        new BartNetwork(BartConfiguration.Read(configuration, _defaults), _variant, weights, options);
}
