using Seq2Seq.Inference.Devices;
using Seq2Seq.Inference.Families.T5;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.SwitchTransformers;

/// <summary>
/// The weights of a Switch Transformer (Fedus et al. 2021, arXiv 2101.03961), by their names in
/// models/switch_transformers/modeling_switch_transformers.py of transformers: a <see cref="T5Network"/> but for the
/// feed-forwards.
/// </summary>
// encoder.block.N.layer.1.mlp, decoder.block.N.layer.2.mlp
//   dense:  wi [feed-forward, model], wo [model, feed-forward]
//   sparse: router.classifier [experts, model], experts.expert_E.wi and wo
internal sealed class SwitchNetwork : INetwork
{
    private const string Mlp = "mlp";

    public SwitchNetwork(
        SwitchConfiguration configuration,
        ModelConfiguration folder,
        WeightScope weights,
        NetworkOptions options
    )
    {
        using DisposeScope scope = NewDisposeScope();
        Configuration = configuration;
        Shape = new NetworkShape
        {
            Device = options.Device,
            VocabularySize = configuration.T5.VocabularySize,
            DecoderLayers = configuration.T5.DecoderLayers,
            CacheWidth = 2 * configuration.T5.InnerWidth,
            MemoryWidth = 2 * configuration.T5.InnerWidth,
        };

        T5Weights take = new(configuration.T5, folder, weights, options.ComputeType);
        Encoder = take.Encoder(
            (block, index) =>
                new SwitchEncoderLayer(
                    take.SelfAttention(block[0], index),
                    FeedForward(take, block[1], index, configuration.EncoderStep)
                )
        );
        Decoder = take.Decoder(
            (block, index) =>
                new SwitchDecoderLayer(
                    take.SelfAttention(block[0], index),
                    take.CrossAttention(block[1]),
                    FeedForward(take, block[2], index, configuration.DecoderStep)
                )
        );
        Head = new OutputProjection(take.Head(configuration.IsTied));
    }

    public SwitchConfiguration Configuration { get; }

    public NetworkShape Shape { get; }

    public GenerationDefaults GenerationDefaults => Configuration.T5.GenerationDefaults;

    public T5Stack<SwitchEncoderLayer> Encoder { get; }

    public T5Stack<SwitchDecoderLayer> Decoder { get; }

    /// <summary>Model width → vocabulary.</summary>
    public OutputProjection Head { get; }

    public IForwardPass CreateForwardPass() => new SwitchForwardPass(this);

    public void Dispose()
    {
        Encoder.Dispose();
        Decoder.Dispose();
        Head.Dispose();
    }

    private SwitchFeedForward FeedForward(T5Weights take, WeightScope layer, int index, int step)
    {
        WeightScope router = layer[Mlp]["router"]["classifier"];
        bool isCounted = step == 1 || (step > 1 && index % step == 1);
        bool isSparse = router.Contains("weight") || (isCounted && !layer[Mlp]["wi"].Contains("weight"));
        if (!isSparse)
        {
            return new SwitchFeedForward(take.FeedForward(layer, Mlp), Sparse: null);
        }

        int experts = Configuration.Experts;
        int model = Configuration.T5.ModelWidth;
        int wide = Configuration.T5.FeedForwardWidth;
        return new SwitchFeedForward(
            Dense: null,
            new SwitchExperts(
                take.Norm(layer["layer_norm"]),
                // Whatever the others compute in: a rounded router sends tokens to other experts.
                Linear.Create(
                    router.Take("weight", experts, model),
                    Configuration.HasRouterBias ? router.Take("bias", experts) : null,
                    ComputeType.Float32
                ),
                [
                    .. Enumerable
                        .Range(0, experts)
                        .Select(expert => layer[Mlp]["experts"][$"expert_{expert}"])
                        .Select(expert => new SwitchExpert(
                            take.Fused([wide, model], expert["wi"]),
                            take.Fused([model, wide], expert["wo"])
                        )),
                ]
            )
        );
    }
}

internal sealed record SwitchEncoderLayer(T5SelfAttention SelfAttention, SwitchFeedForward FeedForward) : IDisposable
{
    public void Dispose()
    {
        SelfAttention.Dispose();
        FeedForward.Dispose();
    }
}

internal sealed record SwitchDecoderLayer(
    T5SelfAttention SelfAttention,
    T5CrossAttention CrossAttention,
    SwitchFeedForward FeedForward
) : IDisposable
{
    public void Dispose()
    {
        SelfAttention.Dispose();
        CrossAttention.Dispose();
        FeedForward.Dispose();
    }
}

/// <summary>A layer's feed-forward: one of the two.</summary>
internal sealed record SwitchFeedForward(T5FeedForward? Dense, SwitchExperts? Sparse) : IDisposable
{
    public void Dispose()
    {
        Dense?.Dispose();
        Sparse?.Dispose();
    }
}

/// <summary>A feed-forward of experts, with its norm before it; the router's outputs are one logit an expert.</summary>
internal sealed record SwitchExperts(RmsNorm Norm, Linear Router, IReadOnlyList<SwitchExpert> Experts) : IDisposable
{
    public void Dispose()
    {
        Norm.Dispose();
        Router.Dispose();
        foreach (SwitchExpert expert in Experts)
        {
            expert.Dispose();
        }
    }
}

internal sealed record SwitchExpert(Linear Input, Linear Output) : IDisposable
{
    public void Dispose()
    {
        Input.Dispose();
        Output.Dispose();
    }
}
