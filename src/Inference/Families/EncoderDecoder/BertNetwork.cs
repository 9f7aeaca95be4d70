using Seq2Seq.Inference.Families.Bart;
using Seq2Seq.Inference.Layers;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.EncoderDecoder;

/// <summary>
/// What a token is before the first layer. Each token's type is 0: its embedding is part of the positions'.
/// </summary>
/// <param name="Tokens"><c>[vocabulary, embedding width]</c></param>
/// <param name="Positions"><c>[positions, embedding width]</c></param>
/// <param name="Norm">Behind their sum.</param>
/// <param name="Projection">Embedding width → model width, where they differ.</param>
internal sealed record BertEmbeddings(Embedding Tokens, Embedding Positions, LayerNorm Norm, Linear? Projection)
    : IDisposable
{
    public void Dispose()
    {
        Tokens.Dispose();
        Positions.Dispose();
        Norm.Dispose();
        Projection?.Dispose();
    }
}

/// <summary>A model of BERT's kind as encoder.</summary>
internal sealed record BertEncoder(
    BertConfiguration Configuration,
    BertEmbeddings Embeddings,
    IReadOnlyList<BartEncoderLayer> Layers
) : IEncoderHalf
{
    public IEncoderPass CreatePass(Device device) => new BertEncoderPass(this, device);

    public void Dispose()
    {
        Embeddings.Dispose();
        foreach (BartEncoderLayer layer in Layers)
        {
            layer.Dispose();
        }
    }
}

/// <summary>A model of BERT's kind as decoder, with attention to a source.</summary>
internal sealed record BertDecoder(
    BertConfiguration Configuration,
    BertEmbeddings Embeddings,
    IReadOnlyList<BartDecoderLayer> Layers,
    BertHead? HeadLayer,
    OutputProjection Projection
) : IDecoderHalf
{
    public IDecoderPass CreatePass(Device device) => new BertDecoderPass(this, device);

    public void Dispose()
    {
        Embeddings.Dispose();
        foreach (BartDecoderLayer layer in Layers)
        {
            layer.Dispose();
        }

        HeadLayer?.Dispose();
        Projection.Dispose();
    }
}

/// <summary>The layer of a head in front of the vocabulary projection: model width → embedding width.</summary>
internal sealed record BertHead(Linear Dense, LayerNorm Norm) : IDisposable
{
    public void Dispose()
    {
        Dense.Dispose();
        Norm.Dispose();
    }
}
