using Seq2Seq.Inference.Families.Bart;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Weights;
using TorchSharp;
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
internal sealed class NllbMoeNetwork : INetwork
{
    /// <summary>Experts that the reference's layers compute with.</summary>
    private const int UsedExperts = 2;

    private static readonly BartVariant _variant = new()
    {
        HasEndlessPositions = true,
        HasLogitsBias = false,
        FinalNorm = "layer_norm",
        CreateForwardPass = _ => throw new NotSupportedException("An NLLB-MoE has a forward pass of its own."),
    };

    public NllbMoeNetwork(NllbMoeConfiguration configuration, WeightScope weights, NetworkOptions options)
    {
        using DisposeScope scope = NewDisposeScope();
        BartConfiguration shared = configuration.Base;
        Configuration = configuration;
        Shape = BartNetwork.ShapeOf(shared, _variant, options);
        BartWeights take = new(shared, _variant, weights, options);
        Encoder = take.Encoder(
            (layer, index) =>
                new NllbMoeEncoderLayer(
                    take.SelfAttention(layer, BartAttentionNames.Default),
                    FeedForward(
                        take,
                        layer,
                        shared.EncoderFeedForwardWidth,
                        IsSparse(index, configuration.EncoderSparseStep)
                    )
                )
        );
        Decoder = take.Decoder(
            (layer, index) =>
                new NllbMoeDecoderLayer(
                    take.SelfAttention(layer, BartAttentionNames.Default),
                    take.CrossAttention(layer, "cross_attention"),
                    FeedForward(
                        take,
                        layer,
                        shared.DecoderFeedForwardWidth,
                        IsSparse(index, configuration.DecoderSparseStep)
                    )
                )
        );
        Head = new OutputProjection(take.Head(Encoder.Tokens, Decoder.Tokens));
    }

    public NllbMoeConfiguration Configuration { get; }

    public NetworkShape Shape { get; }

    public GenerationDefaults GenerationDefaults => Configuration.Base.GenerationDefaults;

    public BartStack<NllbMoeEncoderLayer> Encoder { get; }

    public BartStack<NllbMoeDecoderLayer> Decoder { get; }

    /// <summary>Model width → vocabulary.</summary>
    public OutputProjection Head { get; }

    public IForwardPass CreateForwardPass() => new NllbMoeForwardPass(this);

    public void Dispose()
    {
        Encoder.Dispose();
        Decoder.Dispose();
        Head.Dispose();
    }

    private static bool IsSparse(int layer, int step) => step > 0 && (layer + 1) % step == 0;

    private NllbMoeFeedForward FeedForward(BartWeights take, WeightScope layer, int width, bool isSparse)
    {
        LayerNorm norm = take.Norm(layer["ff_layer_norm"]);
        WeightScope dense = layer["ffn"];
        return isSparse
            ? new NllbMoeFeedForward(
                norm,
                Router(dense["router"]["classifier"]),
                Experts(take, dense["experts"], width)
            )
            : new NllbMoeFeedForward(norm, Router: null, [Expert(take, dense, width)]);
    }

    private Linear Router(WeightScope scope)
    {
        Tensor weight = scope.Take("weight", Configuration.Experts, Configuration.Base.ModelWidth);
        Tensor? bias = Configuration.HasRouterBias ? scope.Take("bias", Configuration.Experts) : null;
        return Linear.Create(weight, bias, Devices.ComputeType.Float32);
    }

    /// <summary>Keeps the experts that are computed with; the others are only verified.</summary>
    private List<NllbMoeExpert> Experts(BartWeights take, WeightScope scope, int width)
    {
        List<NllbMoeExpert> experts = [];
        for (int i = 0; i < Configuration.Experts; i++)
        {
            NllbMoeExpert expert = Expert(take, scope[$"expert_{i}"], width);
            if (i < UsedExperts)
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

    private NllbMoeExpert Expert(BartWeights take, WeightScope scope, int width) =>
        new(
            take.Dense(width, Configuration.Base.ModelWidth, scope["fc1"]),
            take.Dense(Configuration.Base.ModelWidth, width, scope["fc2"])
        );
}

internal sealed record NllbMoeExpert(Linear Input, Linear Output) : IDisposable
{
    public void Dispose()
    {
        Input.Dispose();
        Output.Dispose();
    }
}

/// <summary>Without a router it is dense and its one expert takes all tokens.</summary>
internal sealed record NllbMoeFeedForward(LayerNorm Norm, Linear? Router, IReadOnlyList<NllbMoeExpert> Experts)
    : IDisposable
{
    public void Dispose()
    {
        Norm.Dispose();
        Router?.Dispose();
        foreach (NllbMoeExpert expert in Experts)
        {
            expert.Dispose();
        }
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
