using Seq2Seq.Inference.Devices;
using Seq2Seq.Inference.Families.T5;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Matrices;
using Seq2Seq.Inference.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.T5Gemma;

/// <summary>
/// Takes the blocks of one half from a checkpoint, fused as the forward passes want them. Gemma's norms multiply by 1 + the
/// stored weight. Use inside a dispose scope.
/// </summary>
internal sealed class GemmaWeights(GemmaHalf half, ComputeType computeType)
{
    private int Model => half.ModelWidth;

    public GemmaSelfAttention SelfAttention(WeightScope layer)
    {
        WeightScope attention = layer["self_attn"];
        return new GemmaSelfAttention(
            Norm(layer["pre_self_attn_layernorm"], Model),
            Fused(
                Model,
                (attention["q_proj"], half.QueryWidth),
                (attention["k_proj"], half.KeyWidth),
                (attention["v_proj"], half.KeyWidth)
            ),
            Fused(half.QueryWidth, (attention["o_proj"], Model)),
            Norm(layer["post_self_attn_layernorm"], Model)
        );
    }

    /// <summary>Keys and values of an attention to the source.</summary>
    /// <param name="attention">Where it stands.</param>
    /// <param name="sourceWidth">Width of the encoder's states.</param>
    public Linear KeyValue(WeightScope attention, int sourceWidth) =>
        Fused(sourceWidth, (attention["k_proj"], half.KeyWidth), (attention["v_proj"], half.KeyWidth));

    public GemmaCrossAttention CrossAttention(WeightScope layer, int sourceWidth)
    {
        WeightScope attention = layer["cross_attn"];
        return new GemmaCrossAttention(
            Norm(layer["pre_cross_attn_layernorm"], Model),
            Fused(Model, (attention["q_proj"], half.QueryWidth)),
            KeyValue(attention, sourceWidth),
            Fused(half.QueryWidth, (attention["o_proj"], Model)),
            Norm(layer["post_cross_attn_layernorm"], Model)
        );
    }

    public GemmaFeedForward FeedForward(WeightScope layer)
    {
        WeightScope mlp = layer["mlp"];
        int wide = half.FeedForwardWidth;
        return new GemmaFeedForward(
            Norm(layer["pre_feedforward_layernorm"], Model),
            Linear.Create(
                JoinedMatrix.Of([
                    mlp["gate_proj"].TakeMatrix("weight", wide, Model),
                    mlp["up_proj"].TakeMatrix("weight", wide, Model),
                ]),
                bias: null,
                computeType
            ),
            Linear.Create(mlp["down_proj"].TakeMatrix("weight", Model, wide), bias: null, computeType),
            Norm(layer["post_feedforward_layernorm"], Model)
        );
    }

    /// <summary>Token embeddings, layers and the norm at the end.</summary>
    /// <param name="scope">The half's scope.</param>
    /// <param name="tokens">Its token embeddings.</param>
    /// <param name="takeLayer">Takes a layer, given its scope.</param>
    public T5Stack<TLayer> Stack<TLayer>(WeightScope scope, Embedding tokens, Func<WeightScope, TLayer> takeLayer)
        where TLayer : IDisposable =>
        new(
            tokens,
            [.. Enumerable.Range(0, half.Layers).Select(index => takeLayer(scope["layers"][index]))],
            Norm(scope["norm"], Model)
        );

    public RmsNorm Norm(WeightScope scope, int width) => new(scope.Take("weight", width) + 1, half.NormEpsilon);

    /// <summary>The vocabulary projection; a cap of logits is divided off, so that a tanh may follow.</summary>
    /// <param name="weight"><c>[vocabulary, model]</c></param>
    public Linear Head(WeightMatrix weight) =>
        Linear.Create(weight, bias: null, computeType, half.LogitSoftCap is { } cap ? 1 / cap : 1);

    private Linear Fused(int inFeatures, params ReadOnlySpan<(WeightScope Scope, int OutFeatures)> parts)
    {
        using DisposeScope memory = NewDisposeScope();
        List<WeightMatrix> weights = [];
        List<Tensor> biases = [];
        foreach ((WeightScope scope, int outFeatures) in parts)
        {
            weights.Add(scope.TakeMatrix("weight", outFeatures, inFeatures));
            if (half.HasAttentionBias)
            {
                biases.Add(scope.Take("bias", outFeatures));
            }
        }

        return Linear.Create(JoinedMatrix.Of(weights), biases.Count == 0 ? null : cat(biases, 0), computeType);
    }
}

/// <summary>Self-attention between its norms; the second is applied before the residual sum.</summary>
internal sealed record GemmaSelfAttention(RmsNorm NormBefore, Linear QueryKeyValue, Linear Output, RmsNorm NormAfter)
    : IDisposable
{
    public void Dispose()
    {
        NormBefore.Dispose();
        QueryKeyValue.Dispose();
        Output.Dispose();
        NormAfter.Dispose();
    }
}

/// <summary>Attention to the source between its norms.</summary>
internal sealed record GemmaCrossAttention(
    RmsNorm NormBefore,
    Linear Query,
    Linear KeyValue,
    Linear Output,
    RmsNorm NormAfter
) : IDisposable
{
    public void Dispose()
    {
        NormBefore.Dispose();
        Query.Dispose();
        KeyValue.Dispose();
        Output.Dispose();
        NormAfter.Dispose();
    }
}

/// <summary>Gated feed-forward between its norms.</summary>
internal sealed record GemmaFeedForward(RmsNorm NormBefore, Linear GateAndUp, Linear Down, RmsNorm NormAfter)
    : IDisposable
{
    public void Dispose()
    {
        NormBefore.Dispose();
        GateAndUp.Dispose();
        Down.Dispose();
        NormAfter.Dispose();
    }
}
