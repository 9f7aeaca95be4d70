using System.Buffers;
using System.Runtime.InteropServices;

namespace Seq2Seq.Inference.Tokenization.SentencePiece;

/// <summary>
/// The most probable segmentation under a unigram language model (Kudo 2018), as sentencepiece's
/// <c>unigram::Model::EncodeOptimized</c> finds it: one pass that keeps the best path to each place. The rounding is
/// its own too (sums in double, kept as float), since near ties fall by it.
/// </summary>
internal sealed class UnigramSegmenter : IPieceSegmenter
{
    private const float UnknownPenalty = 10;

    private readonly PieceTrie _trie;
    private readonly Entry[] _entries;
    private readonly int _unknownId;
    private readonly float _unknownScore;
    private readonly float _maxScore;

    public UnigramSegmenter(SentencePieceModel model, int unknownId)
    {
        var pieces = model.Pieces;
        var indexed = pieces.Select((piece, id) => (piece.Text, piece.Type, Id: id));
        _trie = PieceTrie.Build(
            indexed
                .Where(piece => piece.Type is PieceType.Normal or PieceType.UserDefined or PieceType.Unused)
                .Select(piece => (piece.Text, piece.Id))
        );
        _entries = [.. pieces.Select(piece => new Entry(piece.Score, piece.Type))];
        _unknownId = unknownId;
        var scores = pieces.Where(piece => piece.Type == PieceType.Normal).Select(piece => piece.Score);
        _unknownScore = scores.Aggregate(float.MaxValue, Math.Min) - UnknownPenalty;
        // FLT_MIN, the smallest positive number, is sentencepiece's own start value.
        _maxScore = scores.Aggregate(1.17549435e-38f, Math.Max);
    }

    public void Segment(ReadOnlySpan<byte> normalized, List<PieceSpan> output)
    {
        var size = normalized.Length;
        var rented = ArrayPool<Best>.Shared.Rent(size + 1);
        var best = rented.AsSpan(0, size + 1);
        best.Fill(new Best(0, -1, -1));
        FindBestPaths(normalized, best);

        var first = output.Count;
        for (var end = size; end > 0; end = best[end].Start)
            output.Add(new PieceSpan(best[end].Id, end));
        CollectionsMarshal.AsSpan(output)[first..].Reverse();
        ArrayPool<Best>.Shared.Return(rented);
    }

    private void FindBestPaths(ReadOnlySpan<byte> text, Span<Best> best)
    {
        var (trie, entries) = (_trie, _entries);
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
                var entry = entries[id];
                if (entry.Type == PieceType.Unused)
                    continue;
                var length = end - start;
                var score = entry.Type == PieceType.UserDefined ? length * _maxScore - 0.1 : entry.Score;
                Offer(ref best[end], score + scoreHere, start, id);
                hasSingle |= length == characterLength;
            }
            if (!hasSingle)
                Offer(ref best[start + characterLength], _unknownScore + scoreHere, start, _unknownId);
            start += characterLength;
        }
    }

    private static void Offer(ref Best target, double score, int start, int id)
    {
        if (target.Start < 0 || score > target.Score)
            target = new Best((float)score, start, id);
    }

    private static int Utf8Length(byte first) =>
        first switch
        {
            < 0xC0 => 1,
            < 0xE0 => 2,
            < 0xF0 => 3,
            _ => 4,
        };

    private readonly record struct Entry(float Score, PieceType Type);

    private readonly record struct Best(float Score, int Start, int Id);
}
