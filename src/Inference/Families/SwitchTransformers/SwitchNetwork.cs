using Seq2Seq.Inference.Devices;
using Seq2Seq.Inference.Families.T5;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Weights;

namespace Seq2Seq.Inference.Families.SwitchTransformers;

/// <summary>
/// The weights of a Switch Transformer (Fedus et al. 2021, arXiv 2101.03961), by their names in
/// models/switch_transformers/modeling_switch_transformers.py of transformers: a <see cref="T5Network"/> but for the
/// feed-forwards.
/// </summary>
// encoder.block.N.layer.1.mlp, decoder.block.N.layer.2.mlp
//   dense:  wi [feed-forward, model], wo [model, feed-forward]
//   sparse: router.classifier [experts, model], experts.expert_E.wi and wo
internal sealed class SwitchNetwork(
    SwitchConfiguration configuration,
    ModelConfiguration folder,
    WeightScope weights,
    NetworkOptions options
)
    : T5Network<SwitchEncoderLayer, SwitchDecoderLayer>(
        configuration.T5,
        folder,
        weights,
        options,
        (take, block, index) => EncoderLayer(take, block, index, configuration),
        (take, block, index) => DecoderLayer(take, block, index, configuration),
        mayTieHead: configuration.IsTied
    )
{
    private const string Mlp = "mlp";

    /// <summary>Experts of a sparse feed-forward.</summary>
    public int Experts { get; } = configuration.Experts;

    public override IForwardPass CreateForwardPass() => new SwitchForwardPass(this);

    private static SwitchEncoderLayer EncoderLayer(
        T5Weights take,
        WeightScope block,
        int index,
        SwitchConfiguration configuration
    ) =>
        new(
            take.SelfAttention(block[0], index),
            FeedForward(take, block[1], IsSparse(index, configuration.EncoderStep), configuration)
        );

    private static SwitchDecoderLayer DecoderLayer(
        T5Weights take,
        WeightScope block,
        int index,
        SwitchConfiguration configuration
    ) =>
        new(
            take.SelfAttention(block[0], index),
            take.CrossAttention(block[1]),
            FeedForward(take, block[2], IsSparse(index, configuration.DecoderStep), configuration)
        );

    private static bool IsSparse(int index, int step) => step == 1 || (step > 1 && index % step == 1);

    private static SwitchFeedForward FeedForward(
        T5Weights take,
        WeightScope layer,
        bool isCounted,
        SwitchConfiguration configuration
    )
    {
        WeightScope router = layer[Mlp]["router"]["classifier"];
        bool isSparse = router.Contains("weight") || (isCounted && !layer[Mlp]["wi"].Contains("weight"));
        return isSparse
            ? new SwitchFeedForward(Dense: null, Sparse(take, layer, router, configuration))
            : new SwitchFeedForward(take.FeedForward(layer, Mlp), Sparse: null);
    }

    private static SwitchExperts Sparse(
        T5Weights take,
        WeightScope layer,
        WeightScope router,
        SwitchConfiguration configuration
    )
    {
        int experts = configuration.Experts;
        int model = configuration.T5.ModelWidth;
        int wide = configuration.T5.FeedForwardWidth;
        return new SwitchExperts(
            take.Norm(layer["layer_norm"]),
            // Whatever the others compute in: a rounded router sends tokens to other experts.
            Linear.Create(
                router.Take("weight", experts, model),
                configuration.HasRouterBias ? router.Take("bias", experts) : null,
                ComputeType.Float32
            ),
            [
                .. Enumerable
                    .Range(0, experts)
                    .Select(expert => layer[Mlp]["experts"][$"expert_{expert}"])
                    .Select(expert => new SwitchExpert(
                        take.Fused(wide, model, expert["wi"]),
                        take.Fused(model, wide, expert["wo"])
                    )),
            ]
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
