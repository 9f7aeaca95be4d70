using Seq2Seq.Inference.Families.Bart;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Weights;

namespace Seq2Seq.Inference.Families.M2M100;

/// <summary>M2M-100 (Fan et al. 2020, arXiv 2010.11125) and the dense models of NLLB-200 (arXiv 2207.04672).</summary>
internal sealed class M2M100Family : IFamily
{
    private static readonly BartVariant _variant = new()
    {
        HasEndlessPositions = true,
        HasLogitsBias = false,
        FinalNorm = "layer_norm",
        CreateForwardPass = network => new M2M100ForwardPass(network),
    };

    /// <summary>What the class has, which NLLB-MoE's shares.</summary>
    public static BartDefaults Defaults { get; } =
        new()
        {
            VocabularySize = 128112,
            Activation = "relu",
            ScalesEmbeddings = true,
            Generation = new GenerationParameters
            {
                BosTokenId = 0,
                PadTokenId = 1,
                EosTokenId = [2],
                DecoderStartTokenId = 2,
            },
        };

    public IReadOnlyList<string> ModelTypes { get; } = ["m2m_100"];

    public INetwork Build(ModelConfiguration configuration, WeightScope weights, NetworkOptions options) =>
        new BartNetwork(Read(configuration), _variant, weights, options);

    /// <exception cref="ModelConfigurationException">A key can't be used; names it.</exception>
    public static BartConfiguration Read(ModelConfiguration configuration)
    {
        BartConfiguration read = BartConfiguration.Read(configuration, Defaults);
        FairseqPositions.Check(configuration.Root, read);
        return read;
    }
}
