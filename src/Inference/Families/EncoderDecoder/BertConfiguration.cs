using System.Globalization;
using Seq2Seq.Inference.Families.Bart;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Loading;

namespace Seq2Seq.Inference.Families.EncoderDecoder;

/// <summary>What a half's configuration says of a model of BERT's kind: see <see cref="BertVariant"/>.</summary>
internal sealed record BertConfiguration : HalfConfiguration
{
    public required BertVariant Variant { get; init; }

    /// <summary>Width of the embeddings, which a linear layer makes the model's where it is another.</summary>
    public required int EmbeddingWidth { get; init; }
    public required int TokenTypes { get; init; }
    public required double NormEpsilon { get; init; }
    public required Activation Activation { get; init; }

    /// <summary>Whether an encoder's tokens see only those before them: it was made to be a decoder.</summary>
    public required bool IsCausal { get; init; }

    /// <summary>RoBERTa's padding token, whose position is its own id; positions of others begin behind it.</summary>
    public required int? PaddingPosition { get; init; }

    /// <summary>Row of the first token in the position table.</summary>
    public int FirstPosition => PaddingPosition + 1 ?? 0;

    public override int MaxTokens => Positions - FirstPosition;

    public override string BaseModel => Variant.BaseModel;

    public BartSublayerShape SublayerShape => new(ModelWidth, Heads, FeedForwardWidth, Activation);

    /// <exception cref="ModelConfigurationException">A key can't be used; names it.</exception>
    public static BertConfiguration Read(ConfigurationSection half, BertVariant variant)
    {
        int vocabulary = half.Size("vocab_size", variant.Defaults.VocabularySize);
        int width = Size(keys => keys.Width, variant.Defaults.Width);
        int heads = Size(keys => keys.Heads, variant.Defaults.Heads);
        if (width % heads != 0)
        {
            throw half.Refuse(variant.Keys.Heads, heads, $"a divisor of {variant.Keys.Width}, which is {width}");
        }

        if (half.OptionalText("position_embedding_type") is { } kind and not "absolute")
        {
            throw half.Refuse("position_embedding_type", $"\"{kind}\"", "\"absolute\"");
        }

        int positions = half.Size("max_position_embeddings", 512);
        return new BertConfiguration
        {
            Variant = variant,
            VocabularySize = vocabulary,
            ModelWidth = width,
            EmbeddingWidth = variant.HasNarrowEmbeddings ? half.Size("embedding_size", 128) : width,
            Layers = Size(keys => keys.Layers, variant.Defaults.Layers),
            Heads = heads,
            FeedForwardWidth = half.Size(variant.Keys.FeedForwardWidth, variant.Defaults.FeedForwardWidth),
            Positions = positions,
            TokenTypes = half.Size("type_vocab_size", 2),
            NormEpsilon = variant.FixedEpsilon ?? half.Number("layer_norm_eps", 1e-12, minimum: 0),
            Activation = half.Activation(variant.Keys.Activation, "gelu"),
            IsTied = half.Flag("tie_word_embeddings", defaultValue: true),
            IsCausal = variant.Head is not null && half.Flag("is_decoder", defaultValue: false),
            PaddingPosition = variant.CountsFromPadding ? Padding(half, vocabulary, positions) : null,
        };

        // Where a model has names of its own, the reference takes the usual ones for them as well.
        int Size(Func<BertKeys, string> key, int defaultValue) =>
            half.Size(key(half.Has(key(variant.Keys)) ? variant.Keys : BertKeys.Usual), defaultValue);
    }

    public override IEncoderHalf TakeEncoder(HalfWeights weights) => new BertWeights(this, weights).Encoder();

    public override IDecoderHalf TakeDecoder(HalfWeights weights) => new BertWeights(this, weights).Decoder();

    private static int Padding(ConfigurationSection half, int vocabulary, int positions)
    {
        int? padding = half.Find("pad_token_id") is null ? 1 : half.TokenId("pad_token_id", vocabulary);
        return padding < positions - 1
            ? padding.Value
            : throw half.Refuse(
                "pad_token_id",
                padding?.ToString(CultureInfo.InvariantCulture) ?? "null",
                $"a token below max_position_embeddings, which is {positions}: positions are counted from it"
            );
    }
}
