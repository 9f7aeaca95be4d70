using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Attention;

namespace Seq2Seq.Inference.Families.EncoderDecoder;

/// <summary>The forward pass of two joined halves: the encoder, a projection where their widths differ, the decoder.</summary>
internal sealed class EncoderDecoderForwardPass(EncoderDecoderNetwork network) : IForwardPass
{
    private readonly IEncoderPass _encoder = network.Encoder.CreatePass(network.Shape.Device);
    private readonly IDecoderPass _decoder = network.Decoder.CreatePass(network.Shape.Device);
    private readonly Rows _projected = new(network.Configuration.Decoder.ModelWidth, network.Shape.Device);

    public Rows Encode(SourceBatch source)
    {
        Rows hidden = _encoder.Encode(source);
        network.Projection?.Forward(hidden, _projected);
        _decoder.Remember(network.Projection is null ? hidden : _projected, source);
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
