using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Attention;

namespace Seq2Seq.Inference.Families.EncoderDecoder;

/// <summary>The forward pass of a decoder half.</summary>
internal interface IDecoderPass : IDisposable
{
    /// <summary>Keeps keys and values of the source, <c>[tokens, decoder width]</c>.</summary>
    void Remember(Rows encoded, SourceBatch source);

    /// <inheritdoc cref="IForwardPass.Decode"/>
    Rows Decode(DecoderBatch batch);
}

/// <summary>The forward pass of two joined halves: the encoder, a projection where their widths differ, the decoder.</summary>
internal sealed class EncoderDecoderForwardPass : IForwardPass
{
    private readonly EncoderDecoderNetwork _network;
    private readonly BertEncoderPass _encoder;
    private readonly IDecoderPass _decoder;
    private readonly Rows _projected;

    public EncoderDecoderForwardPass(EncoderDecoderNetwork network)
    {
        EncoderDecoderConfiguration configuration = network.Configuration;
        TorchSharp.torch.Device device = network.Shape.Device;
        _network = network;
        _encoder = new BertEncoderPass(network.Encoder, configuration.Encoder, device);
        _decoder = network.BertDecoder is { } bert
            ? new BertDecoderPass(bert, configuration.BertDecoder!, device)
            : new Gpt2DecoderPass(network.Gpt2Decoder!, configuration.Gpt2Decoder!, device);
        _projected = new Rows(configuration.DecoderWidth, device);
    }

    public Rows Encode(SourceBatch source)
    {
        Rows hidden = _encoder.Encode(source);
        _network.Projection?.Forward(hidden, _projected);
        _decoder.Remember(_network.Projection is null ? hidden : _projected, source);
        return hidden;
    }

    public Rows Decode(DecoderBatch batch) => _decoder.Decode(batch);

    public void Dispose()
    {
        _encoder.Dispose();
        _decoder.Dispose();
        _projected.Dispose();
    }
}
