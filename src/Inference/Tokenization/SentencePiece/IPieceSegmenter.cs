namespace Seq2Seq.Inference.Tokenization.SentencePiece;

/// <summary>Cuts normalised text into pieces: Unigram or byte-pair encoding.</summary>
internal interface IPieceSegmenter
{
    /// <summary>Adds each piece's id and the offset behind its last byte.</summary>
    void Segment(ReadOnlySpan<byte> normalized, scoped ref PooledList<PieceSpan> output);
}

internal readonly record struct PieceSpan(int Id, int End);
