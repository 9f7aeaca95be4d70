using Seq2Seq.Inference.Families.T5;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.LongT5;

/// <summary>
/// The weights of a LongT5 (Guo et al. 2022, arXiv 2112.07916), by their names in models/longt5/modeling_longt5.py of
/// transformers: a <see cref="T5Network"/> but for the encoder's attention.
/// </summary>
// encoder.block.N.layer.0.LocalSelfAttention or TransientGlobalSelfAttention
//   q, k, v, o and relative_attention_bias as in T5; the second has
//   global_input_layer_norm [model], and in block 0 global_relative_attention_bias [buckets, heads]
internal sealed class LongT5Network : INetwork
{
    public LongT5Network(
        LongT5Configuration configuration,
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
        Encoder = take.Encoder(EncoderLayer);
        Decoder = take.Decoder(take.DecoderLayer);
        Head = new OutputProjection(take.Head());

        LongT5EncoderLayer EncoderLayer(WeightScope block, int index)
        {
            string name = configuration.SeesBlocks
                ? LongT5Configuration.TransientGlobalAttention
                : LongT5Configuration.LocalAttention;
            WeightScope attention = block[0][name];
            return new LongT5EncoderLayer(
                take.SelfAttention(block[0], index, name),
                configuration.SeesBlocks ? take.Norm(attention["global_input_layer_norm"]) : null,
                configuration.SeesBlocks && index == 0
                    ? take.PositionBias(attention["global_relative_attention_bias"])
                    : null,
                take.FeedForward(block[1])
            );
        }
    }

    public LongT5Configuration Configuration { get; }

    public NetworkShape Shape { get; }

    public GenerationDefaults GenerationDefaults => Configuration.T5.GenerationDefaults;

    public T5Stack<LongT5EncoderLayer> Encoder { get; }

    public T5Stack<T5DecoderLayer> Decoder { get; }

    /// <summary>Model width → vocabulary.</summary>
    public OutputProjection Head { get; }

    public IForwardPass CreateForwardPass() => new LongT5ForwardPass(this);

    public void Dispose()
    {
        Encoder.Dispose();
        Decoder.Dispose();
        Head.Dispose();
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
