using Seq2Seq.Inference.Families.Bart;
using Seq2Seq.Inference.Families.Mbart;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Weights;

namespace Seq2Seq.Inference.Families.Blenderbot;

/// <summary>
/// Blenderbot (Roller et al. 2020, arXiv 2004.13637) as models/blenderbot/modeling_blenderbot.py of transformers has it:
/// mBART without a norm after the embeddings.
/// </summary>
internal sealed class BlenderbotFamily : IFamily
{
    private static readonly BartVariant _variant = new()
    {
        LearnedPositionOffset = 0,
        FinalNorm = "layer_norm",
        CreateForwardPass = network => new MbartForwardPass(network),
    };

    private static readonly BartDefaults _defaults = new()
    {
        VocabularySize = 8008,
        ModelWidth = 2560,
        EncoderLayers = 2,
        DecoderLayers = 24,
        Heads = 32,
        FeedForwardWidth = 10240,
        MaxSourcePositions = 128,
        MaxTargetPositions = 128,
        Generation = new GenerationParameters
        {
            BosTokenId = 1,
            PadTokenId = 0,
            EosTokenId = [2],
            DecoderStartTokenId = 1,
        },
    };

    public IReadOnlyList<string> ModelTypes { get; } = ["blenderbot"];

    public INetwork Build(ModelConfiguration configuration, WeightScope weights, NetworkOptions options) =>
        new BartNetwork(BartConfiguration.Read(configuration, _defaults), _variant, weights, options);
}
