using System.Buffers;
using System.Text;

namespace Seq2Seq.Inference.Tokenization.SentencePiece;

/// <summary>
/// The most probable segmentation under a unigram language model (Kudo 2018), as sentencepiece's
/// <c>unigram::Model::EncodeOptimized</c> finds it: one pass that keeps the best path to each place, in
/// single precision, since ties fall by it.
/// </summary>
internal sealed class UnigramSegmenter : IPieceSegmenter
{
    private const float UnknownPenalty = 10;

    private readonly PieceTrie _trie;
    private readonly float[] _scores;
    private readonly int _unknownId;
    private readonly float _unknownScore;

    public UnigramSegmenter(SentencePieceModel model, int unknownId)
    {
        var pieces = model.Pieces;
        var indexed = pieces.Select((piece, id) => (piece.Text, piece.Type, Id: id));
        _trie = PieceTrie.Build(
            indexed
                .Where(piece => piece.Type is PieceType.Normal or PieceType.UserDefined)
                .Select(piece => (piece.Text, piece.Id))
        );
        var normal = pieces.Where(piece => piece.Type == PieceType.Normal).Select(piece => piece.Score);
        // FLT_MIN, the smallest positive number, is sentencepiece's own start value.
        var maxScore = normal.Aggregate(1.17549435e-38f, Math.Max);
        _scores = [.. pieces.Select(piece => ScoreOf(piece, maxScore))];
        _unknownId = unknownId;
        _unknownScore = normal.Aggregate(float.MaxValue, Math.Min) - UnknownPenalty;
    }

    public void Segment(ReadOnlySpan<byte> normalized, scoped ref PooledList<PieceSpan> output)
    {
        var size = normalized.Length;
        var rented = ArrayPool<Best>.Shared.Rent(size + 1);
        var best = rented.AsSpan(0, size + 1);
        best.Fill(new Best(0, -1, -1));
        FindBestPaths(normalized, best);

        var first = output.Count;
        for (var end = size; end > 0; end = best[end].Start)
            output.Add(new PieceSpan(best[end].Id, end));
        output.Span[first..].Reverse();
        ArrayPool<Best>.Shared.Return(rented);
    }

    private void FindBestPaths(ReadOnlySpan<byte> text, Span<Best> best)
    {
        var (trie, scores) = (_trie, _scores);
        for (var start = 0; start < text.Length; )
        {
            var scoreHere = best[start].Score;
            var characterLength = Math.Min(Utf8Length(text[start]), text.Length - start);
            var hasSingle = false;
            var node = PieceTrie.Root;
            for (var end = start; end < text.Length; )
            {
                node = trie.Step(node, text[end++]);
                if (node < 0)
                    break;
                var id = trie.Id(node);
                if (id < 0)
                    continue;
                Offer(ref best[end], scores[id] + scoreHere, start, id);
                hasSingle |= end - start == characterLength;
            }
            if (!hasSingle)
                Offer(ref best[start + characterLength], _unknownScore + scoreHere, start, _unknownId);
            start += characterLength;
        }
    }

    /// <summary>A user-defined symbol gets what any other way through its characters could have at most.</summary>
    private static float ScoreOf(Piece piece, float maxScore) =>
        piece.Type == PieceType.UserDefined
            ? (float)(Encoding.UTF8.GetByteCount(piece.Text) * maxScore - 0.1)
            : piece.Score;

    private static void Offer(ref Best target, float score, int start, int id)
    {
        if (target.Start < 0 || score > target.Score)
            target = new Best(score, start, id);
    }

    private static int Utf8Length(byte first) =>
        first switch
        {
            < 0xC0 => 1,
            < 0xE0 => 2,
            < 0xF0 => 3,
            _ => 4,
        };

    private readonly record struct Best(float Score, int Start, int Id);
}
