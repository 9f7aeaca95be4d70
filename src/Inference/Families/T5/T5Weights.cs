using Seq2Seq.Inference.Devices;
using Seq2Seq.Inference.Layers;
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

    public RmsNorm Norm(WeightScope scope) => new(scope.Take("weight", Model), configuration.NormEpsilon);

    /// <summary>The token embeddings; a checkpoint that ties them all may have any one of the names.</summary>
    public Embedding Embedding(params ReadOnlySpan<string> names) =>
        new(weights.TakeTied([.. names, "lm_head.weight"], configuration.VocabularySize, Model));

    public Linear Head()
    {
        using DisposeScope memory = NewDisposeScope();
        Tensor weight = weights.TakeTied(
            ["lm_head.weight", "shared.weight", "decoder.embed_tokens.weight", "encoder.embed_tokens.weight"],
            configuration.VocabularySize,
            Model
        );
        // The scale belongs to the hidden states; in the weights it costs nothing.
        return Linear.Create(
            configuration.ScalesOutput ? weight * Math.Pow(Model, -0.5) : weight,
            bias: null,
            computeType
        );
    }

    public T5EncoderLayer EncoderLayer(int index)
    {
        WeightScope layer = weights["encoder"]["block"][index]["layer"];
        return new T5EncoderLayer(SelfAttention(layer[0], index), FeedForward(layer[1]));
    }

    public T5DecoderLayer DecoderLayer(int index)
    {
        WeightScope layer = weights["decoder"]["block"][index]["layer"];
        return new T5DecoderLayer(SelfAttention(layer[0], index), CrossAttention(layer[1]), FeedForward(layer[2]));
    }

    private T5SelfAttention SelfAttention(WeightScope layer, int index)
    {
        WeightScope attention = layer["SelfAttention"];
        bool hasBias = index == 0 || configuration.HasBiasInEveryLayer;
        return new T5SelfAttention(
            Norm(layer["layer_norm"]),
            Fused([Inner, Model], attention["q"], attention["k"], attention["v"]),
            Fused([Model, Inner], attention["o"]),
            hasBias
                ? attention["relative_attention_bias"]
                    .Take("weight", configuration.BiasBuckets, configuration.Heads)
                    .alias()
                    .DetachFromDisposeScope()
                : null
        );
    }

    private T5CrossAttention CrossAttention(WeightScope layer)
    {
        WeightScope attention = layer["EncDecAttention"];
        return new T5CrossAttention(
            Norm(layer["layer_norm"]),
            Fused([Inner, Model], attention["q"]),
            Fused([Inner, Model], attention["k"], attention["v"]),
            Fused([Model, Inner], attention["o"])
        );
    }

    private T5FeedForward FeedForward(WeightScope layer)
    {
        WeightScope dense = layer["DenseReluDense"];
        long[] wide = [configuration.FeedForwardWidth, Model];
        bool isGated = dense["wi_0"].Contains("weight") || (configuration.IsGated && !dense["wi"].Contains("weight"));
        if (isGated != configuration.IsGated)
        {
            weights.Note(
                $"feed_forward_proj is '{folder.Root.Text("feed_forward_proj", "relu")}', but the weights are those of a feed-forward that is {(isGated ? "gated" : "not gated")}: the weights decide."
            );
        }

        return new T5FeedForward(
            Norm(layer["layer_norm"]),
            isGated ? Fused(wide, dense["wi_0"], dense["wi_1"]) : Fused(wide, dense["wi"]),
            isGated,
            Fused([Model, configuration.FeedForwardWidth], dense["wo"])
        );
    }

    /// <summary>One linear layer of several that take the same input. Their own memory is free again when it is packed.</summary>
    private Linear Fused(long[] shape, params ReadOnlySpan<WeightScope> scopes)
    {
        using DisposeScope memory = NewDisposeScope();
        List<Tensor> parts = [];
        foreach (WeightScope scope in scopes)
        {
            parts.Add(scope.Take("weight", shape));
        }

        return Linear.Create(parts.Count == 1 ? parts[0] : cat(parts, 0), bias: null, computeType);
    }
}
