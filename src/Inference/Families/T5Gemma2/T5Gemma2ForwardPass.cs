using Seq2Seq.Inference.Families.T5Gemma;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Attention;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.T5Gemma2;

/// <summary>
/// The forward pass of T5Gemma 2 on text (Zhang et al. 2025, arXiv 2512.14856), as models/t5gemma2/modeling_t5gemma2.py of
/// transformers 5.17 has it with its default attention: Gemma 3's blocks (arXiv 2503.19786), whose queries and keys are
/// normed; a decoder's attention sees its own tokens and the source under one softmax.
/// </summary>
// A block is x = x + norm(attention(norm(x))), x = x + norm(feed-forward(norm(x))).
internal sealed class T5Gemma2ForwardPass : IForwardPass
{
    private readonly T5Gemma2Network _network;
    private readonly HalfMemory _encoder;
    private readonly HalfMemory _decoder;
    private readonly Rows _keyValue;
    private readonly Rows _logits;

    public T5Gemma2ForwardPass(T5Gemma2Network network)
    {
        GemmaHalf decoder = network.Configuration.Decoder;
        Device device = network.Shape.Device;
        _network = network;
        _encoder = new HalfMemory(network.Configuration.Encoder, device);
        _decoder = new HalfMemory(decoder, device);
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
            half.Project(_network.Encoder[i].Attention, configuration.IsSliding[i], source.Positions);
            AttentionWindow? window = configuration.IsSliding[i]
                ? new AttentionWindow(((configuration.SlidingWindow + 1) / 2) - 1, configuration.SlidingWindow / 2)
                : null;
            half.Attention.Encode(half.QueryKeyValue, source, bias: null, half.Context, window);
            half.AddContext(_network.Encoder[i].Attention.Projections);
            half.FeedForward(_network.Encoder[i].FeedForward);
        }

        _network.EncoderNorm.Forward(half.Hidden, half.Normed);
        GemmaHalf decoder = _decoder.Configuration;
        for (int i = 0; i < _network.Decoder.Count; i++)
        {
            _network.Decoder[i].SourceKeyValue.Forward(half.Normed, _keyValue);
            _network.Decoder[i].Attention.KeyNorm.ForwardHeads(_keyValue, column: 0, decoder.KeyHeads);
            _decoder.Attention.Remember(_keyValue, source, i);
        }

        return half.Normed;
    }

    public Rows Decode(DecoderBatch batch)
    {
        HalfMemory half = _decoder;
        GemmaHalf configuration = half.Configuration;
        _network.DecoderTokens.Forward(batch.TokenIds, half.Hidden);
        for (int i = 0; i < _network.Decoder.Count; i++)
        {
            half.Project(_network.Decoder[i].Attention, configuration.IsSliding[i], batch.Positions);
            int? window = configuration.IsSliding[i] ? configuration.SlidingWindow : null;
            half.Attention.Decode(half.QueryKeyValue, batch, i, bias: null, half.Context, window, withSource: true);
            half.AddContext(_network.Decoder[i].Attention.Projections);
            half.FeedForward(_network.Decoder[i].FeedForward);
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
        _keyValue.Dispose();
        _logits.Dispose();
    }

    /// <summary>Working memory of a half, and the steps that both halves take on it.</summary>
    private sealed class HalfMemory(GemmaHalf configuration, Device device) : IDisposable
    {
        private readonly RotaryPositions _full = Rotary(configuration, configuration.FullRope, device);
        private readonly RotaryPositions _sliding = Rotary(configuration, configuration.SlidingRope, device);
        private readonly Rows _gateAndUp = new(2 * configuration.FeedForwardWidth, device);
        private readonly Rows _wide = new(configuration.FeedForwardWidth, device);

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

        /// <summary>Queries, keys and values of the hidden states: queries and keys normed, then turned by their positions.</summary>
        public void Project(T5Gemma2Attention attention, bool isSliding, ReadOnlySpan<int> positions)
        {
            attention.Projections.NormBefore.Forward(Hidden, Normed);
            attention.Projections.QueryKeyValue.Forward(Normed, QueryKeyValue);
            attention.QueryNorm.ForwardHeads(QueryKeyValue, column: 0, configuration.Heads);
            attention.KeyNorm.ForwardHeads(QueryKeyValue, configuration.QueryWidth, configuration.KeyHeads);
            RotaryPositions rotary = isSliding ? _sliding : _full;
            rotary.Apply(QueryKeyValue, column: 0, configuration.Heads + configuration.KeyHeads, positions);
        }

        public void AddContext(GemmaSelfAttention attention)
        {
            attention.Output.Forward(Context, Normed);
            attention.NormAfter.Forward(Normed, Normed);
            Hidden.Add(Normed);
        }

        public void FeedForward(GemmaFeedForward layer)
        {
            layer.NormBefore.Forward(Hidden, Normed);
            layer.GateAndUp.Forward(Normed, _gateAndUp);
            configuration.Activation.Gate(_gateAndUp, _wide);
            layer.Down.Forward(_wide, Normed);
            layer.NormAfter.Forward(Normed, Normed);
            Hidden.Add(Normed);
        }

        public void Dispose()
        {
            _full.Dispose();
            _sliding.Dispose();
            _gateAndUp.Dispose();
            _wide.Dispose();
            Attention.Dispose();
            foreach (Rows rows in (Rows[])[Hidden, Normed, QueryKeyValue, Context])
            {
                rows.Dispose();
            }
        }

        private static RotaryPositions Rotary(GemmaHalf half, GemmaRope rope, Device device) =>
            new(half.HeadWidth, rope.Theta, rope.Factor, device);
    }
}
