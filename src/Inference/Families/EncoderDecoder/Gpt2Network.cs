using Seq2Seq.Inference.Families.Bart;
using Seq2Seq.Inference.Layers;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.EncoderDecoder;

/// <summary>A GPT-2 as encoder.</summary>
internal sealed record Gpt2Encoder(
    Gpt2Configuration Configuration,
    Embedding Tokens,
    Embedding Positions,
    IReadOnlyList<BartEncoderLayer> Layers,
    LayerNorm FinalNorm
) : IEncoderHalf
{
    public IEncoderPass CreatePass(Device device) => new Gpt2EncoderPass(this, device);

    public void Dispose()
    {
        Tokens.Dispose();
        Positions.Dispose();
        foreach (BartEncoderLayer layer in Layers)
        {
            layer.Dispose();
        }

        FinalNorm.Dispose();
    }
}

/// <summary>A GPT-2 as decoder, with attention to a source.</summary>
internal sealed record Gpt2Decoder(
    Gpt2Configuration Configuration,
    Embedding Tokens,
    Embedding Positions,
    IReadOnlyList<BartDecoderLayer> Layers,
    LayerNorm FinalNorm,
    OutputProjection Head
) : IDecoderHalf
{
    public IDecoderPass CreatePass(Device device) => new Gpt2DecoderPass(this, device);

    public void Dispose()
    {
        Tokens.Dispose();
        Positions.Dispose();
        foreach (BartDecoderLayer layer in Layers)
        {
            layer.Dispose();
        }

        FinalNorm.Dispose();
        Head.Dispose();
    }
}
