using Seq2Seq.Inference.Families.Bart;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Weights;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.NllbMoe;

/// <summary>
/// The weights of an NLLB-MoE (Costa-jussà et al. 2022, arXiv 2207.04672), by their names in
/// models/nllb_moe/modeling_nllb_moe.py of transformers. <see cref="NllbMoeForwardPass"/> computes on them.
/// </summary>
// As M2M-100's, but in a layer:
//   cross_attention, cross_attention_layer_norm   instead of encoder_attn and its norm
//   ff_layer_norm                                 instead of final_layer_norm
//   ffn.fc1, ffn.fc2                              a dense feed-forward, or in every so many layers
//   ffn.router.classifier [experts, model], ffn.experts.expert_N.fc1, fc2
internal sealed class NllbMoeNetwork(NllbMoeConfiguration configuration, WeightScope weights, NetworkOptions options)
    : BartNetwork<NllbMoeEncoderLayer, NllbMoeDecoderLayer>(
        configuration.Base,
        _variant,
        weights,
        options,
        (take, layer, index) => EncoderLayer(take, layer, index, configuration),
        (take, layer, index) => DecoderLayer(take, layer, index, configuration)
    )
{
    private static readonly BartVariant _variant = new()
    {
        HasEndlessPositions = true,
        HasLogitsBias = false,
        FinalNorm = "layer_norm",
    };

    /// <summary>How the experts are used.</summary>
    public NllbMoeConfiguration Sparse { get; } = configuration;

    public override IForwardPass CreateForwardPass() => new NllbMoeForwardPass(this);

    private static NllbMoeEncoderLayer EncoderLayer(
        BartWeights take,
        WeightScope layer,
        int index,
        NllbMoeConfiguration configuration
    ) =>
        new(
            take.SelfAttention(layer, BartAttentionNames.Default),
            FeedForward(
                take,
                layer,
                configuration.Base.EncoderFeedForwardWidth,
                IsSparse(index, configuration.EncoderSparseStep),
                configuration
            )
        );

    private static NllbMoeDecoderLayer DecoderLayer(
        BartWeights take,
        WeightScope layer,
        int index,
        NllbMoeConfiguration configuration
    ) =>
        new(
            take.SelfAttention(layer, BartAttentionNames.Default),
            take.CrossAttention(layer, "cross_attention"),
            FeedForward(
                take,
                layer,
                configuration.Base.DecoderFeedForwardWidth,
                IsSparse(index, configuration.DecoderSparseStep),
                configuration
            )
        );

    private static bool IsSparse(int layer, int step) => step > 0 && (layer + 1) % step == 0;

    private static NllbMoeFeedForward FeedForward(
        BartWeights take,
        WeightScope layer,
        int width,
        bool isSparse,
        NllbMoeConfiguration configuration
    )
    {
        LayerNorm norm = take.Norm(layer["ff_layer_norm"]);
        WeightScope dense = layer["ffn"];
        int model = configuration.Base.ModelWidth;
        return isSparse
            ? new NllbMoeFeedForward(
                Dense: null,
                new NllbMoeExperts(
                    norm,
                    Router(dense["router"]["classifier"], configuration),
                    Experts(take, dense["experts"], width, configuration)
                )
            )
            : new NllbMoeFeedForward(
                new BartFeedForward(
                    take.Dense(width, model, dense["fc1"]),
                    take.Dense(model, width, dense["fc2"]),
                    norm
                ),
                Sparse: null
            );
    }

    private static Linear Router(WeightScope scope, NllbMoeConfiguration configuration)
    {
        Tensor weight = scope.Take("weight", configuration.Experts, configuration.Base.ModelWidth);
        Tensor? bias = configuration.HasRouterBias ? scope.Take("bias", configuration.Experts) : null;
        return Linear.Create(weight, bias, Devices.ComputeType.Float32);
    }

    /// <summary>Keeps the experts that are computed with; the others are only verified.</summary>
    private static List<NllbMoeExpert> Experts(
        BartWeights take,
        WeightScope scope,
        int width,
        NllbMoeConfiguration configuration
    )
    {
        List<NllbMoeExpert> experts = [];
        int model = configuration.Base.ModelWidth;
        for (int i = 0; i < configuration.Experts; i++)
        {
            WeightScope own = scope[$"expert_{i}"];
            NllbMoeExpert expert = new(take.Dense(width, model, own["fc1"]), take.Dense(model, width, own["fc2"]));
            if (i < configuration.UsedExperts)
            {
                experts.Add(expert);
            }
            else
            {
                expert.Dispose();
            }
        }

        return experts;
    }
}

/// <summary>A layer's feed-forward: one of the two.</summary>
internal sealed record NllbMoeFeedForward(BartFeedForward? Dense, NllbMoeExperts? Sparse) : IDisposable
{
    public void Dispose()
    {
        Dense?.Dispose();
        Sparse?.Dispose();
    }
}

/// <summary>A feed-forward of experts, with its norm before it; the router's outputs are one logit an expert.</summary>
internal sealed record NllbMoeExperts(LayerNorm Norm, Linear Router, IReadOnlyList<NllbMoeExpert> Experts) : IDisposable
{
    public void Dispose()
    {
        Norm.Dispose();
        Router.Dispose();
        foreach (NllbMoeExpert expert in Experts)
        {
            expert.Dispose();
        }
    }
}

internal sealed record NllbMoeExpert(Linear Input, Linear Output) : IDisposable
{
    public void Dispose()
    {
        Input.Dispose();
        Output.Dispose();
    }
}

internal sealed record NllbMoeEncoderLayer(BartSelfAttention SelfAttention, NllbMoeFeedForward FeedForward)
    : IDisposable
{
    public void Dispose()
    {
        SelfAttention.Dispose();
        FeedForward.Dispose();
    }
}

internal sealed record NllbMoeDecoderLayer(
    BartSelfAttention SelfAttention,
    BartCrossAttention CrossAttention,
    NllbMoeFeedForward FeedForward
) : IDisposable
{
    public void Dispose()
    {
        SelfAttention.Dispose();
        CrossAttention.Dispose();
        FeedForward.Dispose();
    }
}
