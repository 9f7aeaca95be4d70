using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Attention;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.T5Gemma;

/// <summary>
/// The forward pass of T5Gemma (Zhang et al. 2025, arXiv 2504.06225), as models/t5gemma/modeling_t5gemma.py of transformers
/// 5.17 has it with its default attention: Gemma 2's blocks (arXiv 2408.00118) with norms before and after, rotary
/// positions, shared heads of keys, and windows in some layers. That attention does not cap scores, whatever
/// <c>attn_logit_softcapping</c> says; logits are capped.
/// </summary>
// A block is x = x + norm(attention(norm(x))), in the decoder x = x + norm(attention-to-source(norm(x))),
// x = x + norm(feed-forward(norm(x))).
internal sealed class T5GemmaForwardPass : IForwardPass
{
    private readonly T5GemmaNetwork _network;
    private readonly HalfMemory _encoder;
    private readonly HalfMemory _decoder;
    private readonly Rows _query;
    private readonly Rows _keyValue;
    private readonly Rows _logits;

    public T5GemmaForwardPass(T5GemmaNetwork network)
    {
        GemmaHalf decoder = network.Configuration.Decoder;
        Device device = network.Shape.Device;
        _network = network;
        _encoder = new HalfMemory(network.Configuration.Encoder, device);
        _decoder = new HalfMemory(decoder, device);
        _query = new Rows(decoder.QueryWidth, device);
        _keyValue = new Rows(2 * decoder.KeyWidth, device);
        _logits = new Rows(decoder.VocabularySize, device);
    }

    public Rows Encode(SourceBatch source)
    {
        HalfMemory half = _encoder;
        GemmaHalf configuration = half.Configuration;
        _network.EncoderTokens.Forward(source.TokenIds, half.Hidden);
        for (int i = 0; i < _network.Encoder.Count; i++)
        {
            GemmaSelfAttention attention = _network.Encoder[i].SelfAttention;
            attention.NormBefore.Forward(half.Hidden, half.Normed);
            attention.QueryKeyValue.Forward(half.Normed, half.QueryKeyValue);
            half.Turn(source.Positions);
            AttentionWindow? window = configuration.IsSliding[i]
                ? new AttentionWindow(configuration.SlidingWindow, configuration.SlidingWindow)
                : null;
            half.Attention.Encode(half.QueryKeyValue, source, bias: null, half.Context, window);
            attention.Output.Forward(half.Context, half.Normed);
            attention.NormAfter.Forward(half.Normed, half.Normed);
            half.Hidden.Add(half.Normed);
            FeedForward(_network.Encoder[i].FeedForward, half);
        }

        _network.EncoderNorm.Forward(half.Hidden, half.Normed);
        for (int i = 0; i < _network.Decoder.Count; i++)
        {
            _network.Decoder[i].CrossAttention.KeyValue.Forward(half.Normed, _keyValue);
            _decoder.Attention.Remember(_keyValue, source, i);
        }

        return half.Normed;
    }

    public Rows Decode(DecoderBatch batch)
    {
        HalfMemory half = _decoder;
        GemmaHalf configuration = half.Configuration;
        _network.DecoderTokenEmbedding.Forward(batch.TokenIds, half.Hidden);
        for (int i = 0; i < _network.Decoder.Count; i++)
        {
            GemmaSelfAttention attention = _network.Decoder[i].SelfAttention;
            attention.NormBefore.Forward(half.Hidden, half.Normed);
            attention.QueryKeyValue.Forward(half.Normed, half.QueryKeyValue);
            half.Turn(batch.Positions);
            int? window = configuration.IsSliding[i] ? configuration.SlidingWindow : null;
            half.Attention.Decode(half.QueryKeyValue, batch, i, bias: null, half.Context, window);
            attention.Output.Forward(half.Context, half.Normed);
            attention.NormAfter.Forward(half.Normed, half.Normed);
            half.Hidden.Add(half.Normed);

            GemmaCrossAttention cross = _network.Decoder[i].CrossAttention;
            cross.NormBefore.Forward(half.Hidden, half.Normed);
            cross.Query.Forward(half.Normed, _query);
            half.Attention.Recall(_query, batch, i, half.Context);
            cross.Output.Forward(half.Context, half.Normed);
            cross.NormAfter.Forward(half.Normed, half.Normed);
            half.Hidden.Add(half.Normed);
            FeedForward(_network.Decoder[i].FeedForward, half);
        }

        _network.DecoderNorm.Forward(half.Hidden, half.Normed);
        if (configuration.LogitSoftCap is { } cap)
        {
            _network.Head.Forward(half.Normed, _logits, Activation.Tanh);
            _logits.Multiply((float)cap);
        }
        else
        {
            _network.Head.Forward(half.Normed, _logits);
        }

        return _logits;
    }

    public void Dispose()
    {
        _encoder.Dispose();
        _decoder.Dispose();
        _query.Dispose();
        _keyValue.Dispose();
        _logits.Dispose();
    }

    private static void FeedForward(GemmaFeedForward layer, HalfMemory half)
    {
        layer.NormBefore.Forward(half.Hidden, half.Normed);
        layer.GateAndUp.Forward(half.Normed, half.GateAndUp);
        half.Configuration.Activation.Gate(half.GateAndUp, half.Wide);
        layer.Down.Forward(half.Wide, half.Normed);
        layer.NormAfter.Forward(half.Normed, half.Normed);
        half.Hidden.Add(half.Normed);
    }

    /// <summary>Working memory of a half: the two need not have the same shape.</summary>
    private sealed class HalfMemory(GemmaHalf configuration, Device device) : IDisposable
    {
        private readonly RotaryPositions _rotary = new(
            configuration.HeadWidth,
            configuration.FullRope.Theta,
            configuration.FullRope.Factor,
            device
        );

        public GemmaHalf Configuration => configuration;

        public MultiHeadAttention Attention { get; } =
            MultiHeadAttention.Create(
                configuration.Heads,
                configuration.KeyHeads,
                configuration.HeadWidth,
                configuration.Scale,
                device
            );

        public Rows Hidden { get; } = new(configuration.ModelWidth, device);

        public Rows Normed { get; } = new(configuration.ModelWidth, device);

        public Rows QueryKeyValue { get; } = new(configuration.ProjectedWidth, device);

        public Rows Context { get; } = new(configuration.QueryWidth, device);

        public Rows GateAndUp { get; } = new(2 * configuration.FeedForwardWidth, device);

        public Rows Wide { get; } = new(configuration.FeedForwardWidth, device);

        /// <summary>Turns queries and keys, which lie side by side, by their positions.</summary>
        public void Turn(ReadOnlySpan<int> positions) =>
            _rotary.Apply(QueryKeyValue, column: 0, configuration.Heads + configuration.KeyHeads, positions);

        public void Dispose()
        {
            _rotary.Dispose();
            Attention.Dispose();
            foreach (Rows rows in (Rows[])[Hidden, Normed, QueryKeyValue, Context, GateAndUp, Wide])
            {
                rows.Dispose();
            }
        }
    }
}
