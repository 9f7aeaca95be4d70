using Seq2Seq.Inference.Families.Bart;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Loading;

namespace Seq2Seq.Inference.Families.EncoderDecoder;

/// <summary>What a half's configuration says of a GPT-2 (models/gpt2/configuration_gpt2.py of transformers 5.17).</summary>
internal sealed record Gpt2Configuration : HalfConfiguration
{
    public const string ModelType = "gpt2";

    public required double NormEpsilon { get; init; }
    public required Activation Activation { get; init; }

    /// <summary>Whether attention scores are divided by the square root of the head's width.</summary>
    public required bool ScalesScores { get; init; }

    /// <summary>Whether a layer's attention scores are also divided by its number, from 1.</summary>
    public required bool ScalesByLayer { get; init; }

    public override int MaxTokens => Positions;

    public override string BaseModel => "transformer";

    public BartSublayerShape SublayerShape
    {
        get
        {
            BartSublayerShape shape = new(ModelWidth, Heads, FeedForwardWidth, Activation);
            return ScalesScores ? shape : shape with { Scale = 1 };
        }
    }

    /// <exception cref="ModelConfigurationException">A key can't be used; names it.</exception>
    public static Gpt2Configuration Read(ConfigurationSection half)
    {
        int width = Size("n_embd", "hidden_size", 768);
        int heads = Size("n_head", "num_attention_heads", 12);
        if (width % heads != 0)
        {
            throw half.Refuse("n_head", heads, $"a divisor of n_embd, which is {width}");
        }

        return new Gpt2Configuration
        {
            VocabularySize = half.Size("vocab_size", 50257),
            ModelWidth = width,
            Layers = Size("n_layer", "num_hidden_layers", 12),
            Heads = heads,
            FeedForwardWidth = half.OptionalInteger("n_inner", 1, int.MaxValue) ?? checked(4 * width),
            Positions = Size("n_positions", "max_position_embeddings", 1024),
            NormEpsilon = half.Number("layer_norm_epsilon", 1e-5, minimum: 0),
            Activation = half.Activation("activation_function", "gelu_new"),
            IsTied = half.Flag("tie_word_embeddings", defaultValue: true),
            ScalesScores = half.Flag("scale_attn_weights", defaultValue: true),
            ScalesByLayer = half.Flag("scale_attn_by_inverse_layer_idx", defaultValue: false),
        };

        // GPT-2's own names, and those that the reference takes for them.
        int Size(string key, string alias, int defaultValue) => half.Size(half.Has(key) ? key : alias, defaultValue);
    }

    public override IEncoderHalf TakeEncoder(HalfWeights weights) => new Gpt2Weights(this, weights).Encoder();

    public override IDecoderHalf TakeDecoder(HalfWeights weights) => new Gpt2Weights(this, weights).Decoder();
}
