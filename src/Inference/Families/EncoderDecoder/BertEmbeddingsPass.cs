using Seq2Seq.Inference.Layers;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.EncoderDecoder;

/// <summary>Tokens and positions → hidden states of BERT and its kind, with the working memory for it.</summary>
internal sealed class BertEmbeddingsPass(BertEmbeddings network, Device device) : IDisposable
{
    private readonly Rows? _narrow = network.Projection is null ? null : new Rows(network.Tokens.Width, device);

    /// <param name="tokenIds">The tokens.</param>
    /// <param name="positions">Their rows in the position table.</param>
    /// <param name="hidden">Resized to the tokens, <c>[tokens, model width]</c>.</param>
    public void Forward(ReadOnlySpan<int> tokenIds, ReadOnlySpan<int> positions, Rows hidden)
    {
        Rows embedded = _narrow ?? hidden;
        network.Tokens.Forward(tokenIds, embedded);
        network.Positions.Forward(positions, embedded, accumulate: true);
        network.Norm.Forward(embedded, embedded);
        network.Projection?.Forward(embedded, hidden);
    }

    public void Dispose() => _narrow?.Dispose();
}
