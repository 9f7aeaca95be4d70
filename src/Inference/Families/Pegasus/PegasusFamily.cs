using Seq2Seq.Inference.Families.Bart;
using Seq2Seq.Inference.Families.Mbart;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Weights;

namespace Seq2Seq.Inference.Families.Pegasus;

/// <summary>
/// PEGASUS (Zhang et al. 2019, arXiv 1912.08777) as models/pegasus/modeling_pegasus.py of transformers has it: mBART with
/// sinusoidal positions and no norm after the embeddings.
/// </summary>
internal sealed class PegasusFamily : IFamily
{
    private static readonly BartVariant _variant = new()
    {
        FinalNorm = "layer_norm",
        CreateForwardPass = network => new MbartForwardPass(network),
    };

    private static readonly BartDefaults _defaults = new()
    {
        Generation = new GenerationParameters
        {
            PadTokenId = 0,
            EosTokenId = [1],
            DecoderStartTokenId = 0,
        },
    };

    public IReadOnlyList<string> ModelTypes { get; } = ["pegasus"];

    public INetwork Build(ModelConfiguration configuration, WeightScope weights, NetworkOptions options) =>
        new BartNetwork(BartConfiguration.Read(configuration, _defaults), _variant, weights, options);
}
