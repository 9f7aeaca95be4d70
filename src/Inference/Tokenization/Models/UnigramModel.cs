using System.Buffers;
using System.Globalization;
using System.Text;
using Seq2Seq.Inference.Tokenization.SentencePiece;

namespace Seq2Seq.Inference.Tokenization.Models;

/// <summary>
/// The most probable segmentation under a unigram language model, as the tokenizers library finds it (<c>Unigram</c>):
/// sentencepiece's search with scores in double, control symbols in the vocabulary like any other, runs of unknown
/// characters one token.
/// </summary>
internal sealed class UnigramModel : ITokenModel
{
    private const double UnknownPenalty = 10;

    private readonly IReadOnlyList<(string Token, double Score)> _vocabulary;
    private readonly double[] _scores;
    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);
    private readonly PieceTrie _trie;
    private readonly int? _unknownId;
    private readonly double _unknownScore;
    private readonly int[]? _byteIds;
    private readonly bool _byteFallback;

    /// <exception cref="InvalidDataException">An unknown id that is none.</exception>
    public UnigramModel(
        IReadOnlyList<(string Token, double Score)> vocabulary,
        int? unknownId,
        bool byteFallback = false,
        IReadOnlySet<string>? withheld = null
    )
    {
        if (unknownId is { } unknown && (unknown < 0 || unknown >= vocabulary.Count))
            throw new InvalidDataException($"unk_id {unknown} is not in a vocabulary of {vocabulary.Count}.");
        (_vocabulary, _unknownId, _byteFallback) = (vocabulary, unknownId, byteFallback);
        _scores = [.. vocabulary.Select(piece => piece.Score)];
        for (var id = 0; id < vocabulary.Count; id++)
        {
            if (withheld?.Contains(vocabulary[id].Token) is not true)
                _ids[vocabulary[id].Token] = id;
        }
        _trie = PieceTrie.Build(_ids.Select(piece => (piece.Key, piece.Value)));
        _unknownScore = _scores.DefaultIfEmpty().Min() - UnknownPenalty;
        if (byteFallback)
            _byteIds = [.. Enumerable.Range(0, 256).Select(value => _ids.GetValueOrDefault(BytePiece(value), -1))];
    }

    public int Size => _vocabulary.Count;

    public int? IdOf(string token) => _ids.TryGetValue(token, out var id) ? id : null;

    public string? TokenOf(int id) => id >= 0 && id < _vocabulary.Count ? _vocabulary[id].Token : null;

    public void Tokenize(ReadOnlySpan<char> piece, List<int> ids)
    {
        if (piece.IsEmpty)
            return;
        var bytes = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(piece.Length));
        var size = Encoding.UTF8.GetBytes(piece, bytes);
        var best = ArrayPool<Best>.Shared.Rent(size + 1);
        try
        {
            best.AsSpan(0, size + 1).Fill(new Best(0, -1, -1));
            FindBestPaths(bytes.AsSpan(0, size), best);
            Backtrack(bytes.AsSpan(0, size), best, ids);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
            ArrayPool<Best>.Shared.Return(best);
        }
    }

    public ITokenModel Without(IReadOnlySet<string> tokens) =>
        new UnigramModel(_vocabulary, _unknownId, _byteFallback, tokens);

    private static string BytePiece(int value) => string.Create(CultureInfo.InvariantCulture, $"<0x{value:X2}>");

    private void FindBestPaths(ReadOnlySpan<byte> text, Best[] best)
    {
        for (var start = 0; start < text.Length; )
        {
            var scoreHere = best[start].Score;
            Rune.DecodeFromUtf8(text[start..], out _, out var characterLength);
            var hasSingle = false;
            var node = PieceTrie.Root;
            for (var end = start; end < text.Length; )
            {
                node = _trie.Step(node, text[end++]);
                if (node < 0)
                    break;
                var id = _trie.Id(node);
                if (id < 0)
                    continue;
                Offer(ref best[end], _scores[id] + scoreHere, start, id);
                hasSingle |= end - start == characterLength;
            }
            if (!hasSingle)
            {
                var unknown = _unknownId ?? throw EncodeException.NoUnknownToken("unk_id");
                Offer(ref best[start + characterLength], _unknownScore + scoreHere, start, unknown);
            }
            start += characterLength;
        }
    }

    private static void Offer(ref Best target, double score, int start, int id)
    {
        if (target.Start < 0 || score > target.Score)
            target = new Best(score, start, id);
    }

    private void Backtrack(ReadOnlySpan<byte> text, Best[] best, List<int> ids)
    {
        var pieces = new List<PieceSpan>();
        for (var end = text.Length; end > 0; end = best[end].Start)
            pieces.Add(new PieceSpan(best[end].Id, end));
        pieces.Reverse();
        var start = 0;
        for (var i = 0; i < pieces.Count; i++)
        {
            var unknown = pieces[i].Id == _unknownId;
            while (unknown && i + 1 < pieces.Count && pieces[i + 1].Id == _unknownId)
                i++;
            if (unknown)
                AddUnknown(text[start..pieces[i].End], ids);
            else
                ids.Add(pieces[i].Id);
            start = pieces[i].End;
        }
    }

    private void AddUnknown(ReadOnlySpan<byte> run, List<int> ids)
    {
        if (_byteIds is not null && !IsToken(run) && AllBytesHaveTokens(run))
        {
            foreach (var value in run)
                ids.Add(_byteIds[value]);
            return;
        }
        ids.Add(_ids.GetValueOrDefault(Encoding.UTF8.GetString(run), _unknownId!.Value));
    }

    private bool IsToken(ReadOnlySpan<byte> run) => _ids.ContainsKey(Encoding.UTF8.GetString(run));

    private bool AllBytesHaveTokens(ReadOnlySpan<byte> run)
    {
        foreach (var value in run)
        {
            if (_byteIds![value] < 0)
                return false;
        }
        return true;
    }

    private readonly record struct Best(double Score, int Start, int Id);
}
