using Seq2Seq.Inference.Families.T5;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Weights;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.LongT5;

/// <summary>
/// The weights of a LongT5 (Guo et al. 2022, arXiv 2112.07916), by their names in models/longt5/modeling_longt5.py of
/// transformers: a <see cref="T5Network"/> but for the encoder's attention.
/// </summary>
// encoder.block.N.layer.0.LocalSelfAttention or TransientGlobalSelfAttention
//   q, k, v, o and relative_attention_bias as in T5; the second has
//   global_input_layer_norm [model], and in block 0 global_relative_attention_bias [buckets, heads]
internal sealed class LongT5Network(
    LongT5Configuration configuration,
    ModelConfiguration folder,
    WeightScope weights,
    NetworkOptions options
)
    : T5Network<LongT5EncoderLayer, T5DecoderLayer>(
        configuration.T5,
        folder,
        weights,
        options,
        (take, block, index) => EncoderLayer(take, block, index, configuration.SeesBlocks),
        (take, block, index) => take.DecoderLayer(block, index)
    )
{
    /// <inheritdoc cref="LongT5Configuration.LocalRadius"/>
    public int LocalRadius { get; } = configuration.LocalRadius;

    /// <inheritdoc cref="LongT5Configuration.BlockSize"/>
    public int BlockSize { get; } = configuration.BlockSize;

    public override IForwardPass CreateForwardPass() => new LongT5ForwardPass(this);

    private static LongT5EncoderLayer EncoderLayer(T5Weights take, WeightScope block, int index, bool seesBlocks)
    {
        string name = seesBlocks ? LongT5Configuration.TransientGlobalAttention : LongT5Configuration.LocalAttention;
        WeightScope attention = block[0][name];
        return new LongT5EncoderLayer(
            take.SelfAttention(block[0], index, name),
            seesBlocks ? take.Norm(attention["global_input_layer_norm"]) : null,
            seesBlocks && index == 0 ? take.PositionBias(attention["global_relative_attention_bias"]) : null,
            take.FeedForward(block[1])
        );
    }
}

/// <summary>A layer of the encoder; norm and bias of the blocks are there where tokens see blocks, the bias in the first layer.</summary>
internal sealed record LongT5EncoderLayer(
    T5SelfAttention SelfAttention,
    RmsNorm? BlockNorm,
    Tensor? BlockBias,
    T5FeedForward FeedForward
) : IDisposable
{
    public void Dispose()
    {
        SelfAttention.Dispose();
        BlockNorm?.Dispose();
        BlockBias?.Dispose();
        FeedForward.Dispose();
    }
}
