using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.Bart;

/// <summary>Takes the parts of a BART from a checkpoint, fused as the forward passes want them. Use inside a dispose scope.</summary>
internal sealed class BartWeights(
    BartConfiguration configuration,
    BartVariant variant,
    WeightScope weights,
    NetworkOptions options
)
{
    private readonly WeightScope _model = weights["model"];

    private int Model => configuration.ModelWidth;

    public BartStack<BartEncoderLayer> Encoder()
    {
        WeightScope encoder = _model["encoder"];
        return new BartStack<BartEncoderLayer>(
            Tokens("encoder", "decoder", configuration.SourceVocabularySize),
            Positions(encoder["embed_positions"]),
            variant.HasEmbeddingNorm ? Norm(encoder["layernorm_embedding"]) : null,
            [
                .. Enumerable
                    .Range(0, configuration.EncoderLayers)
                    .Select(index => EncoderLayer(encoder["layers"][index])),
            ],
            variant.HasFinalNorm ? Norm(encoder["layer_norm"]) : null
        );
    }

    public BartStack<BartDecoderLayer> Decoder()
    {
        WeightScope decoder = _model["decoder"];
        return new BartStack<BartDecoderLayer>(
            Tokens("decoder", "encoder", configuration.VocabularySize),
            Positions(decoder["embed_positions"]),
            variant.HasEmbeddingNorm ? Norm(decoder["layernorm_embedding"]) : null,
            [
                .. Enumerable
                    .Range(0, configuration.DecoderLayers)
                    .Select(index => DecoderLayer(decoder["layers"][index])),
            ],
            variant.HasFinalNorm ? Norm(decoder["layer_norm"]) : null
        );
    }

    /// <summary>The projection to the vocabulary. Embeddings that are tied to it give up their own table.</summary>
    public Linear Head(params ReadOnlySpan<Embedding> embeddings)
    {
        using DisposeScope memory = NewDisposeScope();
        string[] names =
        [
            "lm_head.weight",
            "model.shared.weight",
            "model.decoder.embed_tokens.weight",
            "model.encoder.embed_tokens.weight",
        ];
        Tensor weight = weights.TakeTied(
            HasOneVocabulary ? names : names.AsSpan(0, 3),
            configuration.VocabularySize,
            Model
        );
        Tensor? bias = weights.TakeOptional("final_logits_bias", 1, configuration.VocabularySize);
        Linear head = Linear.Create(weight, bias?.view(configuration.VocabularySize), options.ComputeType);
        foreach (Embedding embedding in embeddings)
        {
            embedding.Tie(head, weight);
        }

        return head;
    }

    private bool HasOneVocabulary => configuration.SourceVocabularySize == configuration.VocabularySize;

    /// <summary>Token embeddings; a checkpoint that ties them all may have any one of the names.</summary>
    private Embedding Tokens(string own, string other, int count)
    {
        string[] names = [$"{own}.embed_tokens.weight", "shared.weight", $"{other}.embed_tokens.weight"];
        Tensor weight =
            !HasOneVocabulary ? _model.TakeTied(names.AsSpan(0, 2), count, Model)
            : Array.Exists(names, _model.Contains) ? _model.TakeTied(names, count, Model)
            : weights.TakeTied(["model.shared.weight", "lm_head.weight"], count, Model);
        return new Embedding(weight, configuration.ScalesEmbeddings ? Math.Sqrt(Model) : 1);
    }

    /// <summary>Position 0 first.</summary>
    private Embedding Positions(WeightScope scope)
    {
        if (variant.LearnedPositionOffset is not { } offset)
        {
            return new Embedding(
                scope.TakeOptional("weight", configuration.MaxPositions, Model)
                    ?? SinusoidalPositions.Create(configuration.MaxPositions, Model, options.Device)
            );
        }

        Tensor table = scope.Take("weight", offset + configuration.MaxPositions, Model);
        return new Embedding(table.narrow(0, offset, configuration.MaxPositions));
    }

    private BartEncoderLayer EncoderLayer(WeightScope layer) =>
        new(SelfAttention(layer), FeedForward(layer, configuration.EncoderFeedForwardWidth));

    private BartDecoderLayer DecoderLayer(WeightScope layer) =>
        new(SelfAttention(layer), CrossAttention(layer), FeedForward(layer, configuration.DecoderFeedForwardWidth));

    private BartSelfAttention SelfAttention(WeightScope layer)
    {
        WeightScope attention = layer["self_attn"];
        return new BartSelfAttention(
            Fused(Model, Model, attention["q_proj"], attention["k_proj"], attention["v_proj"]),
            Fused(Model, Model, attention["out_proj"]),
            Norm(layer["self_attn_layer_norm"])
        );
    }

    private BartCrossAttention CrossAttention(WeightScope layer)
    {
        WeightScope attention = layer["encoder_attn"];
        return new BartCrossAttention(
            Fused(Model, Model, attention["q_proj"]),
            Fused(Model, Model, attention["k_proj"], attention["v_proj"]),
            Fused(Model, Model, attention["out_proj"]),
            Norm(layer["encoder_attn_layer_norm"])
        );
    }

    private BartFeedForward FeedForward(WeightScope layer, int width) =>
        new(Fused(width, Model, layer["fc1"]), Fused(Model, width, layer["fc2"]), Norm(layer["final_layer_norm"]));

    private LayerNorm Norm(WeightScope scope) => new(scope.Take("weight", Model), scope.Take("bias", Model));

    /// <summary>One linear layer of several that take the same input. Their own memory is free again when it is packed.</summary>
    private Linear Fused(int outFeatures, int inFeatures, params ReadOnlySpan<WeightScope> scopes)
    {
        using DisposeScope memory = NewDisposeScope();
        List<Tensor> parts = [];
        List<Tensor> biases = [];
        foreach (WeightScope scope in scopes)
        {
            parts.Add(scope.Take("weight", outFeatures, inFeatures));
            biases.Add(scope.Take("bias", outFeatures));
        }

        return parts.Count == 1
            ? Linear.Create(parts[0], biases[0], options.ComputeType)
            : Linear.Create(cat(parts, 0), cat(biases, 0), options.ComputeType);
    }
}
