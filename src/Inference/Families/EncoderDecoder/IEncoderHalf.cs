using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Attention;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.EncoderDecoder;

/// <summary>The weights of an encoder half.</summary>
internal interface IEncoderHalf : IDisposable
{
    IEncoderPass CreatePass(Device device);
}

/// <summary>The forward pass of an encoder half.</summary>
internal interface IEncoderPass : IDisposable
{
    /// <summary>The last hidden states, <c>[tokens, encoder width]</c>; valid until the next call.</summary>
    Rows Encode(SourceBatch source);
}
