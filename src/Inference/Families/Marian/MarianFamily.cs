using Seq2Seq.Inference.Families.Bart;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Weights;

namespace Seq2Seq.Inference.Families.Marian;

/// <summary>
/// Marian (Junczys-Dowmunt et al. 2018, arXiv 1804.00344) as models/marian/modeling_marian.py of transformers has it: BART
/// with sinusoidal positions and no norm after the embeddings; the OPUS-MT models.
/// </summary>
internal sealed class MarianFamily : IFamily
{
    private static readonly BartVariant _variant = new()
    {
        CreateForwardPass = network => new BartForwardPass(network),
    };

    private static readonly BartDefaults _defaults = new()
    {
        VocabularySize = 58101,
        Generation = new GenerationParameters
        {
            PadTokenId = 58100,
            EosTokenId = [0],
            DecoderStartTokenId = 58100,
        },
    };

    public IReadOnlyList<string> ModelTypes { get; } = ["marian"];

    public INetwork Build(ModelConfiguration configuration, WeightScope weights, NetworkOptions options) =>
        new BartNetwork(BartConfiguration.Read(configuration, _defaults), _variant, weights, options);
}
