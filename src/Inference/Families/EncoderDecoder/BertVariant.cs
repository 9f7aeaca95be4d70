namespace Seq2Seq.Inference.Families.EncoderDecoder;

/// <summary>
/// What a model of BERT's kind has of its own: names of weights and keys, and the defaults of its configuration class
/// (configuration_*.py and modeling_*.py of models/bert, roberta, camembert, xlm_roberta, bert_generation, electra and
/// distilbert in transformers 5.17).
/// </summary>
internal sealed record BertVariant
{
    public required string ModelType { get; init; }

    /// <inheritdoc cref="HalfConfiguration.BaseModel"/>
    public string BaseModel { get; init; } = "bert";

    public BertKeys Keys { get; init; } = BertKeys.Usual;

    public BertSizes Defaults { get; init; } = new();

    public BertLayerNames LayerNames { get; init; } = BertLayerNames.Usual;

    /// <summary>Names of its head; null: it is no decoder.</summary>
    public BertHeadNames? Head { get; init; } = BertHeadNames.Predictions;

    /// <summary>Whether the head's dense layer has the layers' activation; else GELU, whatever they have.</summary>
    public bool HeadFollowsLayers { get; init; }

    /// <summary>Whether positions count from behind the padding token's id, which is the position of padding.</summary>
    public bool CountsFromPadding { get; init; }

    public bool HasTokenTypes { get; init; } = true;

    /// <summary>Whether embeddings have a width of their own (<c>embedding_size</c>).</summary>
    public bool HasNarrowEmbeddings { get; init; }

    /// <summary>The epsilon of its norms, where no key says it.</summary>
    public double? FixedEpsilon { get; init; }

    /// <summary>Every one that is known.</summary>
    public static IReadOnlyList<BertVariant> All { get; } =
    [
        new() { ModelType = "bert", HeadFollowsLayers = true },
        new()
        {
            ModelType = "bert-generation",
            Defaults = new BertSizes(50358, 1024, 24, 16, 4096),
            Head = BertHeadNames.Bare,
            HasTokenTypes = false,
        },
        Roberta("camembert", 30522),
        new()
        {
            ModelType = "distilbert",
            Keys = BertKeys.DistilBert,
            Defaults = new BertSizes(Layers: 6),
            LayerNames = BertLayerNames.DistilBert,
            Head = null,
            HasTokenTypes = false,
            FixedEpsilon = 1e-12,
        },
        new()
        {
            ModelType = "electra",
            BaseModel = "electra",
            Defaults = new BertSizes(Width: 256, Heads: 4, FeedForwardWidth: 1024),
            Head = BertHeadNames.Generator,
            HasNarrowEmbeddings = true,
        },
        Roberta("roberta", 50265),
        Roberta("xlm-roberta", 30522),
    ];

    private static BertVariant Roberta(string modelType, int vocabularySize) =>
        new()
        {
            ModelType = modelType,
            BaseModel = "roberta",
            Defaults = new BertSizes(vocabularySize),
            Head = BertHeadNames.LanguageModel,
            CountsFromPadding = true,
        };
}

/// <summary>Sizes where config.json has none.</summary>
internal sealed record BertSizes(
    int VocabularySize = 30522,
    int Width = 768,
    int Layers = 12,
    int Heads = 12,
    int FeedForwardWidth = 3072
);

/// <summary>Names of keys in config.json.</summary>
internal sealed record BertKeys(string Width, string Layers, string Heads, string FeedForwardWidth, string Activation)
{
    public static BertKeys Usual { get; } =
        new("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "hidden_act");

    public static BertKeys DistilBert { get; } = new("dim", "n_layers", "n_heads", "hidden_dim", "activation");
}

/// <summary>Names of weights in a layer.</summary>
/// <param name="Layers">The list of layers.</param>
/// <param name="Attention">The scope of <paramref name="Query"/>, <paramref name="Key"/> and <paramref name="Value"/>.</param>
/// <param name="Query">The query's linear layer.</param>
/// <param name="Key">The key's.</param>
/// <param name="Value">The value's.</param>
/// <param name="Output">Behind attention.</param>
/// <param name="AttentionNorm">Behind the sum of that.</param>
/// <param name="Input">The feed-forward's first linear layer.</param>
/// <param name="FeedForward">Its second.</param>
/// <param name="FeedForwardNorm">Behind the sum of that.</param>
internal sealed record BertLayerNames(
    string Layers,
    string Attention,
    string Query,
    string Key,
    string Value,
    string Output,
    string AttentionNorm,
    string Input,
    string FeedForward,
    string FeedForwardNorm
)
{
    public static BertLayerNames Usual { get; } =
        new(
            "encoder.layer",
            "attention.self",
            "query",
            "key",
            "value",
            "attention.output.dense",
            "attention.output.LayerNorm",
            "intermediate.dense",
            "output.dense",
            "output.LayerNorm"
        );

    public static BertLayerNames DistilBert { get; } =
        new(
            "transformer.layer",
            "attention",
            "q_lin",
            "k_lin",
            "v_lin",
            "attention.out_lin",
            "sa_layer_norm",
            "ffn.lin1",
            "ffn.lin2",
            "output_layer_norm"
        );
}

/// <summary>Names of weights in a decoder's head.</summary>
/// <param name="Dense">The layer in front of the projection; null: none.</param>
/// <param name="Norm">Behind that.</param>
/// <param name="Projection">To the vocabulary.</param>
/// <param name="Bias">The projection's bias by another name, which transformers saves; null: none.</param>
internal sealed record BertHeadNames(string? Dense, string? Norm, string Projection, string? Bias)
{
    public static BertHeadNames Predictions { get; } =
        new(
            "cls.predictions.transform.dense",
            "cls.predictions.transform.LayerNorm",
            "cls.predictions.decoder",
            "cls.predictions.bias"
        );

    public static BertHeadNames LanguageModel { get; } =
        new("lm_head.dense", "lm_head.layer_norm", "lm_head.decoder", "lm_head.bias");

    public static BertHeadNames Bare { get; } = new(null, null, "lm_head.decoder", "lm_head.bias");

    public static BertHeadNames Generator { get; } =
        new("generator_predictions.dense", "generator_predictions.LayerNorm", "generator_lm_head", null);
}
