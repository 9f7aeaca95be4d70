using Seq2Seq.Inference.Families.Bart;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Weights;

namespace Seq2Seq.Inference.Families.PegasusX;

/// <summary>PEGASUS-X (Phang et al. 2022, arXiv 2208.04347).</summary>
internal sealed class PegasusXFamily : IFamily
{
    private static readonly BartDefaults _defaults = new()
    {
        VocabularySize = 96103,
        EncoderLayers = 16,
        DecoderLayers = 16,
        ScalesEmbeddings = true,
        Generation = new GenerationParameters
        {
            PadTokenId = 0,
            EosTokenId = [1],
            DecoderStartTokenId = 0,
        },
    };

    public IReadOnlyList<string> ModelTypes { get; } = ["pegasus_x"];

    public INetwork Build(ModelConfiguration configuration, WeightScope weights, NetworkOptions options)
    {
        ConfigurationSection root = configuration.Root;
        BartConfiguration shared = BartConfiguration.Read(configuration, _defaults);
        if (shared.ModelWidth < 4 || shared.ModelWidth % 2 != 0)
        {
            throw root.Refuse("d_model", shared.ModelWidth, "an even number of at least 4: positions are pairs");
        }

        PegasusXBlocks blocks = new(
            root.Size("block_size", 512),
            root.Size("num_global_tokens", 32),
            root.Flag("stagger_local_blocks", defaultValue: true)
        );
        if (blocks.IsStaggered && shared.EncoderLayers > 1 && blocks.Size % 2 != 0)
        {
            throw root.Refuse("block_size", blocks.Size, "an even number, since blocks are staggered by half of it");
        }

        return new PegasusXNetwork(shared, blocks, weights, options);
    }
}
