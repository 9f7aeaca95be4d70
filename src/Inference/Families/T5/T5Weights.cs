using Seq2Seq.Inference.Devices;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Matrices;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.T5;

/// <summary>Takes the blocks of a T5 from a checkpoint, fused as the forward pass wants them. Use inside a dispose scope.</summary>
internal sealed class T5Weights(
    T5Configuration configuration,
    ModelConfiguration folder,
    WeightScope weights,
    ComputeType computeType
)
{
    private int Model => configuration.ModelWidth;

    private int Inner => configuration.InnerWidth;

    /// <param name="head">The projection to the vocabulary, which the embeddings may be tied to.</param>
    /// <param name="layer">Takes one layer.</param>
    public T5Stack<TLayer> Encoder<TLayer>(VocabularyHead head, Func<WeightScope, int, TLayer> layer)
        where TLayer : IDisposable => Stack(head, "encoder", "decoder", configuration.EncoderLayers, layer, Norm);

    /// <param name="head">The projection to the vocabulary, which the embeddings may be tied to.</param>
    /// <param name="layer">Takes one layer.</param>
    public T5Stack<TLayer> Decoder<TLayer>(VocabularyHead head, Func<WeightScope, int, TLayer> layer)
        where TLayer : IDisposable => Stack(head, "decoder", "encoder", configuration.DecoderLayers, layer, OutputNorm);

    public RmsNorm Norm(WeightScope scope) => new(scope.Take("weight", Model), configuration.NormEpsilon);

    /// <summary>The projection to the vocabulary.</summary>
    /// <param name="isTied">Whether the token embeddings may serve for it.</param>
    public VocabularyHead Head(bool isTied = true)
    {
        string[] names =
        [
            "lm_head.weight",
            "shared.weight",
            "decoder.embed_tokens.weight",
            "encoder.embed_tokens.weight",
        ];
        return VocabularyHead.Create(
            weights.TakeTiedMatrix(isTied ? names : names.AsSpan(0, 1), configuration.VocabularySize, Model),
            bias: null,
            computeType
        );
    }

    /// <param name="block">The block's layers, one after the other.</param>
    /// <param name="index">Place of the block.</param>
    public T5EncoderLayer EncoderLayer(WeightScope block, int index) =>
        new(SelfAttention(block[0], index), FeedForward(block[1]));

    /// <param name="block">The block's layers, one after the other.</param>
    /// <param name="index">Place of the block.</param>
    public T5DecoderLayer DecoderLayer(WeightScope block, int index) =>
        new(SelfAttention(block[0], index), CrossAttention(block[1]), FeedForward(block[2]));

    public T5SelfAttention SelfAttention(WeightScope layer, int index, string name = "SelfAttention")
    {
        WeightScope attention = layer[name];
        bool hasBias = index == 0 || configuration.HasBiasInEveryLayer;
        return new T5SelfAttention(
            Norm(layer["layer_norm"]),
            Fused(Inner, Model, attention["q"], attention["k"], attention["v"]),
            Fused(Model, Inner, attention["o"]),
            hasBias ? PositionBias(attention["relative_attention_bias"]) : null
        );
    }

    /// <summary>Biases by distance, <c>[buckets, heads]</c>.</summary>
    public Tensor PositionBias(WeightScope scope) =>
        scope.Take("weight", configuration.BiasBuckets, configuration.Heads).alias().DetachFromDisposeScope();

    public T5CrossAttention CrossAttention(WeightScope layer)
    {
        WeightScope attention = layer["EncDecAttention"];
        return new T5CrossAttention(
            Norm(layer["layer_norm"]),
            Fused(Inner, Model, attention["q"]),
            Fused(Inner, Model, attention["k"], attention["v"]),
            Fused(Model, Inner, attention["o"])
        );
    }

    public T5FeedForward FeedForward(WeightScope layer, string name = "DenseReluDense")
    {
        WeightScope dense = layer[name];
        int wide = configuration.FeedForwardWidth;
        bool isGated = dense["wi_0"].Contains("weight") || (configuration.IsGated && !dense["wi"].Contains("weight"));
        if (isGated != configuration.IsGated)
        {
            weights.Note(
                $"feed_forward_proj is '{folder.Root.Text("feed_forward_proj", "relu")}', but the weights are those of a feed-forward that is {(isGated ? "gated" : "not gated")}: the weights decide."
            );
        }

        return new T5FeedForward(
            Norm(layer["layer_norm"]),
            isGated ? Fused(wide, Model, dense["wi_0"], dense["wi_1"]) : Fused(wide, Model, dense["wi"]),
            isGated,
            Fused(Model, wide, dense["wo"])
        );
    }

    /// <summary>The decoder's last norm. Some models scale the hidden states after it: in its weights that costs nothing.</summary>
    private RmsNorm OutputNorm(WeightScope scope)
    {
        Tensor weight = scope.Take("weight", Model);
        return new RmsNorm(
            configuration.ScalesOutput ? weight * Math.Pow(Model, -0.5) : weight,
            configuration.NormEpsilon
        );
    }

    // A checkpoint that ties all token embeddings may have any one of the names.
    private T5Stack<TLayer> Stack<TLayer>(
        VocabularyHead head,
        string own,
        string other,
        int layers,
        Func<WeightScope, int, TLayer> layer,
        Func<WeightScope, RmsNorm> norm
    )
        where TLayer : IDisposable
    {
        string[] names =
        [
            $"{own}.embed_tokens.weight",
            "shared.weight",
            $"{other}.embed_tokens.weight",
            "lm_head.weight",
        ];
        WeightScope scope = weights[own];
        return new T5Stack<TLayer>(
            head.Embed(weights.TakeTiedMatrix(names, configuration.VocabularySize, Model)),
            [.. Enumerable.Range(0, layers).Select(index => layer(scope["block"][index]["layer"], index))],
            norm(scope["final_layer_norm"])
        );
    }

    /// <summary>One linear layer of several that take the same input.</summary>
    public Linear Fused(int outFeatures, int inFeatures, params ReadOnlySpan<WeightScope> scopes)
    {
        using DisposeScope memory = NewDisposeScope();
        List<WeightMatrix> parts = [];
        foreach (WeightScope scope in scopes)
        {
            parts.Add(scope.TakeMatrix("weight", outFeatures, inFeatures));
        }

        return Linear.Create(JoinedMatrix.Of(parts), bias: null, computeType);
    }
}
