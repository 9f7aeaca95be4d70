using Seq2Seq.Inference.Families.Bart;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Weights;

namespace Seq2Seq.Inference.Families.BigBirdPegasus;

/// <summary>PEGASUS with BigBird's encoder (Zaheer et al. 2020, arXiv 2007.14062).</summary>
internal sealed class BigBirdPegasusFamily : IFamily
{
    private static readonly BartDefaults _defaults = new()
    {
        VocabularySize = 96103,
        EncoderLayers = 16,
        DecoderLayers = 16,
        MaxSourcePositions = 4096,
        MaxTargetPositions = 4096,
        Activation = "gelu_new",
        ScalesEmbeddings = true,
        Generation = new GenerationParameters
        {
            BosTokenId = 2,
            PadTokenId = 0,
            EosTokenId = [1],
            DecoderStartTokenId = 2,
        },
    };

    private static readonly Dictionary<string, bool> _isSparseByType = new(StringComparer.Ordinal)
    {
        ["block_sparse"] = true,
        ["original_full"] = false,
    };

    public IReadOnlyList<string> ModelTypes { get; } = ["bigbird_pegasus"];

    public INetwork Build(ModelConfiguration configuration, WeightScope weights, NetworkOptions options)
    {
        ConfigurationSection root = configuration.Root;
        bool isSparse = root.Choice("attention_type", "block_sparse", _isSparseByType);
        BigBirdBlocks blocks = new(
            root.Size("block_size", 64),
            root.Integer("num_random_blocks", 3, minimum: 0, maximum: 1 << 16)
        );
        BartVariant variant = new()
        {
            LearnedPositionOffset = 0,
            FinalNorm = "layernorm_embedding",
            HasAttentionBias = root.Flag("use_bias", defaultValue: false),
            EncoderAttention = new BartAttentionNames("self.query", "self.key", "self.value", "output"),
            CreateForwardPass = network => new BigBirdPegasusForwardPass(network, isSparse ? blocks : null),
        };
        return new BartNetwork(BartConfiguration.Read(configuration, _defaults), variant, weights, options);
    }
}
