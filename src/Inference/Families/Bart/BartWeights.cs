using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Matrices;
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
    private readonly WeightScope _model = variant.Prefix is { } prefix ? weights[prefix] : weights;

    private int Model => configuration.ModelWidth;

    /// <param name="head">The projection to the vocabulary, which the embeddings may be tied to.</param>
    /// <param name="takeLayer">Takes a layer, given its scope and its number.</param>
    public BartStack<TLayer> Encoder<TLayer>(VocabularyHead head, Func<WeightScope, int, TLayer> takeLayer)
        where TLayer : IDisposable =>
        Stack(
            _model[variant.Encoder],
            Tokens(head, variant.Encoder, variant.Decoder, configuration.SourceVocabularySize),
            configuration.MaxSourcePositions,
            configuration.EncoderLayers,
            takeLayer
        );

    /// <param name="head">The projection to the vocabulary, which the embeddings may be tied to.</param>
    /// <param name="takeLayer">Takes a layer, given its scope and its number.</param>
    public BartStack<TLayer> Decoder<TLayer>(VocabularyHead head, Func<WeightScope, int, TLayer> takeLayer)
        where TLayer : IDisposable =>
        Stack(
            _model[variant.Decoder],
            Tokens(head, variant.Decoder, variant.Encoder, configuration.VocabularySize),
            configuration.MaxTargetPositions,
            configuration.DecoderLayers,
            takeLayer
        );

    /// <summary>The projection to the vocabulary.</summary>
    public VocabularyHead Head()
    {
        using DisposeScope memory = NewDisposeScope();
        string[] names =
        [
            $"{variant.Head}.weight",
            OfModel("shared.weight"),
            OfModel($"{variant.Decoder}.embed_tokens.weight"),
            OfModel($"{variant.Encoder}.embed_tokens.weight"),
        ];
        WeightMatrix weight = weights.TakeTiedMatrix(
            HasOneVocabulary ? names : names.AsSpan(0, 3),
            configuration.VocabularySize,
            Model
        );
        Tensor? bias = variant.HasLogitsBias
            ? weights.TakeOptional("final_logits_bias", 1, configuration.VocabularySize)
            : null;
        return VocabularyHead.Create(weight, bias?.view(configuration.VocabularySize), options.ComputeType);
    }

    private BartStack<TLayer> Stack<TLayer>(
        WeightScope scope,
        Embedding tokens,
        int positions,
        int layers,
        Func<WeightScope, int, TLayer> takeLayer
    )
        where TLayer : IDisposable =>
        new(
            tokens,
            Positions(scope["embed_positions"], positions),
            variant.HasEmbeddingNorm ? Norm(scope["layernorm_embedding"]) : null,
            [.. Enumerable.Range(0, layers).Select(index => takeLayer(scope["layers"][index], index))],
            variant.FinalNorm is { } norm ? Norm(scope[norm]) : null
        );

    private bool HasOneVocabulary =>
        !variant.HasSeparateEmbeddings && configuration.SourceVocabularySize == configuration.VocabularySize;

    /// <summary>Token embeddings; a checkpoint that ties them all may have any one of the names.</summary>
    private Embedding Tokens(VocabularyHead head, string own, string other, int count)
    {
        if (variant.HasSeparateEmbeddings)
        {
            return new Embedding(_model[own]["embed_tokens"].Take("weight", count, Model), Scale);
        }

        string[] names = [$"{own}.embed_tokens.weight", "shared.weight", $"{other}.embed_tokens.weight"];
        WeightMatrix table =
            !HasOneVocabulary ? _model.TakeTiedMatrix(names.AsSpan(0, 2), count, Model)
            : Array.Exists(names, _model.Contains) ? _model.TakeTiedMatrix(names, count, Model)
            : weights.TakeTiedMatrix([OfModel("shared.weight"), $"{variant.Head}.weight"], count, Model);
        return head.Embed(table, Scale);
    }

    private string OfModel(string name) => variant.Prefix is { } prefix ? $"{prefix}.{name}" : name;

    private double Scale => configuration.ScalesEmbeddings ? Math.Sqrt(Model) : 1;

    /// <summary>Position 0 first.</summary>
    private Embedding? Positions(WeightScope scope, int count)
    {
        if (variant.HasEndlessPositions)
        {
            return
                variant.StoredPositions > 0
                && scope.TakeOptional("weight", variant.StoredPositions, Model) is { } stored
                ? new Embedding(stored)
                : null;
        }

        if (variant.LearnedPositionOffset is not { } offset)
        {
            return new Embedding(
                scope.TakeOptional("weight", count, Model) ?? SinusoidalPositions.Create(count, Model, options.Device)
            );
        }

        Tensor table = scope.Take("weight", offset + count, Model);
        return new Embedding(table.narrow(0, offset, count));
    }

    public BartEncoderLayer EncoderLayer(WeightScope layer) =>
        new(SelfAttention(layer, variant.EncoderAttention), FeedForward(layer, configuration.EncoderFeedForwardWidth));

    public BartDecoderLayer DecoderLayer(WeightScope layer) =>
        new(
            SelfAttention(layer, BartAttentionNames.Default),
            CrossAttention(layer, variant.CrossAttention),
            FeedForward(layer, configuration.DecoderFeedForwardWidth)
        );

    public BartSelfAttention SelfAttention(WeightScope layer, BartAttentionNames names)
    {
        WeightScope attention = layer["self_attn"];
        return new BartSelfAttention(
            Attention(attention[names.Query], attention[names.Key], attention[names.Value]),
            Attention(attention[names.Output]),
            Norm(layer["self_attn_layer_norm"])
        );
    }

    public BartCrossAttention CrossAttention(WeightScope layer, string name)
    {
        WeightScope attention = layer[name];
        BartAttentionNames names = BartAttentionNames.Default;
        return new BartCrossAttention(
            Attention(attention[names.Query]),
            Attention(attention[names.Key], attention[names.Value]),
            Attention(attention[names.Output]),
            Norm(layer[$"{name}_layer_norm"])
        );
    }

    private BartFeedForward FeedForward(WeightScope layer, int width) =>
        new(
            Dense(width, Model, layer[variant.FeedForward.Input]),
            Dense(Model, width, layer[variant.FeedForward.Output]),
            Norm(layer[variant.FeedForward.Norm])
        );

    public LayerNorm Norm(WeightScope scope) => new(scope.Take("weight", Model), scope.Take("bias", Model));

    /// <summary>A linear layer with a bias.</summary>
    public Linear Dense(int outFeatures, int inFeatures, WeightScope scope)
    {
        using DisposeScope memory = NewDisposeScope();
        return Linear.Create(
            scope.TakeMatrix("weight", outFeatures, inFeatures),
            scope.Take("bias", outFeatures),
            options.ComputeType
        );
    }

    /// <summary>One linear layer of those of an attention that take the same input.</summary>
    public Linear Attention(params ReadOnlySpan<WeightScope> scopes)
    {
        using DisposeScope memory = NewDisposeScope();
        List<WeightMatrix> parts = [];
        List<Tensor> biases = [];
        foreach (WeightScope scope in scopes)
        {
            parts.Add(scope.TakeMatrix("weight", Model, Model));
            if (variant.HasAttentionBias)
            {
                biases.Add(scope.Take("bias", Model));
            }
        }

        Tensor? bias = variant.HasAttentionBias ? cat(biases, 0) : null;
        return Linear.Create(JoinedMatrix.Of(parts), bias, options.ComputeType);
    }
}
