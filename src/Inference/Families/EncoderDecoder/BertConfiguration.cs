using Seq2Seq.Inference.Families.Bart;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Loading;

namespace Seq2Seq.Inference.Families.EncoderDecoder;

/// <summary>
/// What a half's configuration says of a BERT or a RoBERTa (models/bert/configuration_bert.py and models/roberta/
/// configuration_roberta.py of transformers 5.17).
/// </summary>
internal sealed record BertConfiguration
{
    public const string Bert = "bert";
    public const string Roberta = "roberta";

    public static string[] Types { get; } = [Bert, Roberta];

    public required bool IsRoberta { get; init; }
    public required int VocabularySize { get; init; }
    public required int ModelWidth { get; init; }
    public required int Layers { get; init; }
    public required int Heads { get; init; }
    public required int FeedForwardWidth { get; init; }

    /// <summary>Rows of the position table.</summary>
    public required int Positions { get; init; }
    public required int TokenTypes { get; init; }
    public required double NormEpsilon { get; init; }
    public required Activation Activation { get; init; }

    /// <summary>Whether the token embeddings serve for the vocabulary projection.</summary>
    public required bool IsTied { get; init; }

    /// <summary>RoBERTa's padding token, whose position is its own id; positions of others begin behind it.</summary>
    public required int? PaddingPosition { get; init; }

    /// <summary>Row of the first token in the position table.</summary>
    public int FirstPosition => PaddingPosition + 1 ?? 0;

    /// <summary>Longest sequence there are positions for.</summary>
    public int MaxTokens => Positions - FirstPosition;

    public BartSublayerShape SublayerShape => new(ModelWidth, Heads, FeedForwardWidth, Activation);

    /// <exception cref="ModelConfigurationException">A key can't be used; names it.</exception>
    public static BertConfiguration Read(ConfigurationSection half)
    {
        bool isRoberta = half.Text("model_type", Bert) == Roberta;
        int vocabulary = half.Size("vocab_size", isRoberta ? 50265 : 30522);
        int width = half.Size("hidden_size", 768);
        int heads = half.Size("num_attention_heads", 12);
        if (width % heads != 0)
        {
            throw half.Refuse("num_attention_heads", heads, $"a divisor of hidden_size, which is {width}");
        }

        if (half.OptionalText("position_embedding_type") is { } kind and not "absolute")
        {
            throw half.Refuse("position_embedding_type", $"\"{kind}\"", "\"absolute\"");
        }

        int positions = half.Size("max_position_embeddings", 512);
        int? padding = half.Find("pad_token_id") is null && isRoberta ? 1 : half.TokenId("pad_token_id", vocabulary);
        if (isRoberta && (padding is null || padding >= positions - 1))
        {
            throw half.Refuse(
                "pad_token_id",
                padding?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "null",
                $"a token below max_position_embeddings, which is {positions}: positions are counted from it"
            );
        }

        return new BertConfiguration
        {
            IsRoberta = isRoberta,
            VocabularySize = vocabulary,
            ModelWidth = width,
            Layers = half.Size("num_hidden_layers", 12),
            Heads = heads,
            FeedForwardWidth = half.Size("intermediate_size", 3072),
            Positions = positions,
            TokenTypes = half.Size("type_vocab_size", 2),
            NormEpsilon = half.Number("layer_norm_eps", 1e-12, minimum: 0),
            Activation = half.Activation("hidden_act", "gelu"),
            IsTied = half.Flag("tie_word_embeddings", defaultValue: true),
            PaddingPosition = isRoberta ? padding : null,
        };
    }
}
