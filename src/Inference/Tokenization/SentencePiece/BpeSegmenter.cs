using System.Text;

namespace Seq2Seq.Inference.Tokenization.SentencePiece;

/// <summary>
/// Byte-pair encoding over a sentencepiece vocabulary (<c>bpe::Model</c>): of all neighbours whose union is a piece, the
/// pair of the highest score is joined first, the leftmost among equals. User-defined symbols are never joined; a union
/// that is marked unused serves as a step only and falls apart again at the end.
/// </summary>
internal sealed class BpeSegmenter : IPieceSegmenter
{
    private readonly PieceTrie _trie;
    private readonly PieceTrie? _userDefined;
    private readonly SentencePieceModel _model;
    private readonly Dictionary<string, int> _reserved;
    private readonly int _unknownId;

    public BpeSegmenter(SentencePieceModel model, int unknownId)
    {
        _model = model;
        _unknownId = unknownId;
        var indexed = model.Pieces.Select((piece, id) => (piece.Text, piece.Type, Id: id)).ToArray();
        var normal = indexed.Where(piece =>
            piece.Type is PieceType.Normal or PieceType.UserDefined or PieceType.Unused
        );
        _trie = PieceTrie.Build(normal.Select(piece => (piece.Text, piece.Id)));
        _reserved = indexed
            .Where(piece => piece.Type is PieceType.Control or PieceType.Unknown or PieceType.Byte)
            .ToDictionary(piece => piece.Text, piece => piece.Id, StringComparer.Ordinal);
        var userDefined = indexed.Where(piece => piece.Type == PieceType.UserDefined).ToArray();
        _userDefined =
            userDefined.Length == 0 ? null : PieceTrie.Build(userDefined.Select(piece => (piece.Text, piece.Id)));
    }

    public void Segment(ReadOnlySpan<byte> normalized, scoped ref PooledList<PieceSpan> output)
    {
        var symbols = Split(normalized);
        var agenda = new PriorityQueue<Pair, (float Score, int Left)>(BestFirst.Instance);
        var splits = new Dictionary<(int Start, int Length), int>();
        for (var i = 1; i < symbols.Count; i++)
            Consider(normalized, symbols, i - 1, i, agenda, splits);
        while (agenda.TryDequeue(out var pair, out _))
        {
            var (left, right) = (symbols[pair.Left], symbols[pair.Right]);
            // One of the two has been joined with another since.
            if (left.Length == 0 || right.Length == 0 || left.Length + right.Length != pair.Length)
                continue;
            symbols[pair.Left] = left with { Length = pair.Length, Next = right.Next };
            symbols[pair.Right] = right with { Length = 0 };
            if (right.Next >= 0)
                symbols[right.Next] = symbols[right.Next] with { Previous = pair.Left };
            Consider(normalized, symbols, left.Previous, pair.Left, agenda, splits);
            Consider(normalized, symbols, pair.Left, right.Next, agenda, splits);
        }
        for (var i = symbols.Count == 0 ? -1 : 0; i >= 0; i = symbols[i].Next)
            Emit(normalized, symbols[i].Start, symbols[i].Length, splits, ref output);
    }

    private List<Symbol> Split(ReadOnlySpan<byte> text)
    {
        var symbols = new List<Symbol>(text.Length);
        for (var start = 0; start < text.Length; )
        {
            var length = _userDefined?.Longest(text[start..]) ?? 0;
            var frozen = length > 0;
            if (!frozen)
                Rune.DecodeFromUtf8(text[start..], out _, out length);
            var index = symbols.Count;
            symbols.Add(new Symbol(start, length, index - 1, start + length == text.Length ? -1 : index + 1, frozen));
            start += length;
        }
        return symbols;
    }

    private void Consider(
        ReadOnlySpan<byte> text,
        List<Symbol> symbols,
        int left,
        int right,
        PriorityQueue<Pair, (float Score, int Left)> agenda,
        Dictionary<(int Start, int Length), int> splits
    )
    {
        if (left < 0 || right < 0 || symbols[left].Frozen || symbols[right].Frozen)
            return;
        var (start, length) = (symbols[left].Start, symbols[left].Length + symbols[right].Length);
        var id = Find(text.Slice(start, length));
        if (id < 0)
            return;
        agenda.Enqueue(new Pair(left, right, length), (_model.Pieces[id].Score, left));
        if (_model.Pieces[id].Type == PieceType.Unused)
            splits[(start, length)] = symbols[left].Length;
    }

    private void Emit(
        ReadOnlySpan<byte> text,
        int start,
        int length,
        Dictionary<(int Start, int Length), int> splits,
        scoped ref PooledList<PieceSpan> output
    )
    {
        var piece = text.Slice(start, length);
        var id = Find(piece);
        if (id < 0)
            id = _reserved.TryGetValue(Encoding.UTF8.GetString(piece), out var reserved) ? reserved : _unknownId;
        if (_model.Pieces[id].Type == PieceType.Unused && splits.TryGetValue((start, length), out var left))
        {
            Emit(text, start, left, splits, ref output);
            Emit(text, start + left, length - left, splits, ref output);
            return;
        }
        output.Add(new PieceSpan(id, start + length));
    }

    private int Find(ReadOnlySpan<byte> piece)
    {
        var node = PieceTrie.Root;
        foreach (var label in piece)
        {
            node = _trie.Step(node, label);
            if (node < 0)
                return -1;
        }
        return _trie.Id(node);
    }

    private readonly record struct Symbol(int Start, int Length, int Previous, int Next, bool Frozen);

    private readonly record struct Pair(int Left, int Right, int Length);

    private sealed class BestFirst : IComparer<(float Score, int Left)>
    {
        public static BestFirst Instance { get; } = new();

        public int Compare((float Score, int Left) x, (float Score, int Left) y) =>
            y.Score.CompareTo(x.Score) is var order and not 0 ? order : x.Left.CompareTo(y.Left);
    }
}
