using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Attention;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.EncoderDecoder;

/// <summary>The weights of a decoder half, its head included.</summary>
internal interface IDecoderHalf : IDisposable
{
    IDecoderPass CreatePass(Device device);
}

/// <summary>The forward pass of a decoder half.</summary>
internal interface IDecoderPass : IDisposable
{
    /// <summary>Keeps keys and values of the source, <c>[tokens, decoder width]</c>.</summary>
    void Remember(Rows encoded, SourceBatch source);

    /// <inheritdoc cref="IForwardPass.Decode"/>
    Rows Decode(DecoderBatch batch);
}
