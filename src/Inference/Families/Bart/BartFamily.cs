using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Weights;

namespace Seq2Seq.Inference.Families.Bart;

/// <summary>BART, and what differs from it in training only: MVP (arXiv 2206.12131), PLBART (arXiv 2103.06333).</summary>
internal sealed class BartFamily : IFamily
{
    private static readonly BartVariant _variant = new()
    {
        // Rows 0 and 1 stood for padding in fairseq.
        LearnedPositionOffset = 2,
        HasEmbeddingNorm = true,
        CreateForwardPass = network => new BartForwardPass(network),
    };

    public IReadOnlyList<string> ModelTypes { get; } = ["bart", "mvp", "plbart"];

    public INetwork Build(ModelConfiguration configuration, WeightScope weights, NetworkOptions options)
    {
        if (configuration.Root.Flag("use_prompt", defaultValue: false))
        {
            throw configuration.Root.Refuse("use_prompt", "true", "false: MVP's prompts are not supported");
        }

        BartDefaults defaults =
            configuration.ModelType == "plbart"
                ? new BartDefaults
                {
                    VocabularySize = 50005,
                    ModelWidth = 768,
                    EncoderLayers = 6,
                    DecoderLayers = 6,
                    Heads = 12,
                    FeedForwardWidth = 3072,
                    ScalesEmbeddings = true,
                }
                : new BartDefaults { VocabularySize = configuration.ModelType == "mvp" ? 50267 : 50265 };
        BartVariant variant = _variant with { StartsTargetsFromTheirEnd = configuration.ModelType == "plbart" };
        return new BartNetwork(BartConfiguration.Read(configuration, defaults), variant, weights, options);
    }
}
