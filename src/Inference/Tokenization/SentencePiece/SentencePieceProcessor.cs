using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Seq2Seq.Inference.Tokenization.SentencePiece;

/// <summary>
/// The sentencepiece library's encode and decode over one model file. Runs of unknown characters are one unknown piece,
/// or their bytes where the model has byte pieces. Thread-safe.
/// </summary>
internal sealed class SentencePieceProcessor
{
    private const char ReplacementCharacter = '\uFFFD';

    private readonly SentencePieceModel _model;
    private readonly SentencePieceNormalizer _normalizer;
    private readonly SentencePieceNormalizer? _denormalizer;
    private readonly IPieceSegmenter _segmenter;
    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);
    private readonly int[] _byteIds = [];

    /// <exception cref="InvalidDataException">A vocabulary that sentencepiece would not take either.</exception>
    public SentencePieceProcessor(SentencePieceModel model)
    {
        _model = model;
        UnknownId = Check(model);
        for (var id = 0; id < model.Pieces.Count; id++)
            _ids[model.Pieces[id].Text] = id;
        if (model.ByteFallback)
            _byteIds = [.. Enumerable.Range(0, 256).Select(value => _ids[BytePiece(value)])];
        var userDefined = model.Pieces.Where(piece => piece.Type == PieceType.UserDefined).Select(piece => piece.Text);
        _normalizer = new SentencePieceNormalizer(
            model.Normalizer,
            model.TreatWhitespaceAsSuffix,
            userDefined.ToArray()
        );
        if (model.Denormalizer is { CharsMap.Length: > 0 } denormalizer)
            _denormalizer = new SentencePieceNormalizer(denormalizer, treatWhitespaceAsSuffix: false, []);
        _segmenter = model.Algorithm switch
        {
            SentencePieceAlgorithm.Unigram => new UnigramSegmenter(model, UnknownId),
            SentencePieceAlgorithm.Bpe => new BpeSegmenter(model, UnknownId),
            var other => throw new InvalidDataException($"Its algorithm is {other}; Unigram and BPE can be read."),
        };
    }

    public SentencePieceModel Model => _model;
    public int UnknownId { get; }

    /// <summary>The id of a piece, of the unknown piece when there is none.</summary>
    public int PieceToId(string piece) => _ids.GetValueOrDefault(piece, UnknownId);

    /// <summary>The id of a piece; null when there is none.</summary>
    public int? FindPiece(string piece) => _ids.TryGetValue(piece, out var id) ? id : null;

    public void Encode(ReadOnlySpan<char> text, List<int> output)
    {
        var normalized = new PooledList<byte>(text.Length * 2 + 16);
        var spans = new PooledList<PieceSpan>(text.Length + 16);
        try
        {
            Segment(text, ref normalized, ref spans);
            var (start, previousUnknown) = (0, false);
            foreach (var (id, end) in spans.Span)
            {
                var unknown = id == UnknownId;
                if (unknown && _byteIds.Length > 0)
                {
                    foreach (var value in normalized.Span[start..end])
                        output.Add(_byteIds[value]);
                }
                else if (!unknown || !previousUnknown)
                    output.Add(id);
                (start, previousUnknown) = (end, unknown);
            }
        }
        finally
        {
            normalized.Dispose();
            spans.Dispose();
        }
    }

    /// <summary>
    /// Ids of another vocabulary over the same pieces: <paramref name="idOfPiece"/> by piece id, and for a run of unknown
    /// characters whatever its text is there.
    /// </summary>
    public void Encode(ReadOnlySpan<char> text, int[] idOfPiece, Func<string, int> idOfUnknown, List<int> output)
    {
        var normalized = new PooledList<byte>(text.Length * 2 + 16);
        var spans = new PooledList<PieceSpan>(text.Length + 16);
        try
        {
            Segment(text, ref normalized, ref spans);
            var pieces = spans.Span;
            for (var (i, start) = (0, 0); i < pieces.Length; start = pieces[i++].End)
            {
                if (pieces[i].Id != UnknownId)
                {
                    output.Add(idOfPiece[pieces[i].Id]);
                    continue;
                }
                if (_byteIds.Length > 0)
                {
                    foreach (var value in normalized.Span[start..pieces[i].End])
                        output.Add(idOfPiece[_byteIds[value]]);
                    continue;
                }
                while (i + 1 < pieces.Length && pieces[i + 1].Id == UnknownId)
                    i++;
                output.Add(idOfUnknown(Encoding.UTF8.GetString(normalized.Span[start..pieces[i].End])));
            }
        }
        finally
        {
            normalized.Dispose();
            spans.Dispose();
        }
    }

    /// <summary>The text of ids: control symbols give none, the unknown one a sign of its own.</summary>
    /// <param name="written">What to write for an id all the same; null for its usual text.</param>
    public string Decode(IReadOnlyList<int> ids, Func<int, string?>? written = null)
    {
        var decoder = new PieceDecoder(this);
        foreach (var id in ids)
        {
            if (written?.Invoke(id) is { } own)
                decoder.Append(own);
            else if (id >= 0 && id < _model.Pieces.Count)
                decoder.Append(_model.Pieces[id]);
        }
        return decoder.Finish();
    }

    /// <summary>The text of pieces, those that the model does not have as they are.</summary>
    public string Decode(IEnumerable<string> pieces)
    {
        var decoder = new PieceDecoder(this);
        foreach (var piece in pieces)
        {
            if (_ids.TryGetValue(piece, out var id))
                decoder.Append(_model.Pieces[id]);
            else
                decoder.Append(piece);
        }
        return decoder.Finish();
    }

    /// <summary>Bytes that form no UTF-8 become one U+FFFD each.</summary>
    internal static void AppendBytes(List<byte> bytes, StringBuilder text)
    {
        var rest = CollectionsMarshal.AsSpan(bytes);
        while (!rest.IsEmpty)
        {
            if (Rune.DecodeFromUtf8(rest, out var rune, out var consumed) == OperationStatus.Done)
            {
                text.Append(rune.ToString());
            }
            else
            {
                text.Append(ReplacementCharacter);
                consumed = 1;
            }
            rest = rest[consumed..];
        }
        bytes.Clear();
    }

    private static string BytePiece(int value) => string.Create(CultureInfo.InvariantCulture, $"<0x{value:X2}>");

    private static byte ByteOf(string piece) =>
        byte.Parse(piece.AsSpan(3, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    private static int Check(SentencePieceModel model)
    {
        var unknown = -1;
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var id = 0; id < model.Pieces.Count; id++)
        {
            var (text, _, type) = model.Pieces[id];
            if (text.Length == 0)
                throw new InvalidDataException($"Piece {id} is empty.");
            var reserved = type is PieceType.Control or PieceType.Unknown or PieceType.Byte;
            if (!seen.Add((reserved ? "r" : "p") + text))
                throw new InvalidDataException($"Piece {id}, {text}, is there twice.");
            if (type == PieceType.Unknown && unknown >= 0)
                throw new InvalidDataException($"Pieces {unknown} and {id} are both the unknown piece.");
            if (type == PieceType.Unknown)
                unknown = id;
            if (type == PieceType.Byte && !model.ByteFallback)
                throw new InvalidDataException($"Byte piece {text} in a model without byte fallback.");
        }
        if (unknown < 0)
            throw new InvalidDataException("No piece is the unknown piece.");
        var absent = Enumerable.Range(0, 256).Select(BytePiece).FirstOrDefault(piece => !seen.Contains("r" + piece));
        if (model.ByteFallback && absent is not null)
            throw new InvalidDataException($"Byte fallback without a piece {absent}.");
        return unknown;
    }

    private void Segment(
        ReadOnlySpan<char> text,
        scoped ref PooledList<byte> normalized,
        scoped ref PooledList<PieceSpan> output
    )
    {
        if (text.IsEmpty)
            return;
        var bytes = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(text.Length));
        _normalizer.Normalize(bytes.AsSpan(0, Encoding.UTF8.GetBytes(text, bytes)), ref normalized);
        ArrayPool<byte>.Shared.Return(bytes);
        if (normalized.Count > 0)
            _segmenter.Segment(normalized.Span, ref output);
    }

    private static string Denormalize(string text, SentencePieceNormalizer denormalizer)
    {
        var normalized = new PooledList<byte>(text.Length * 3 + 16);
        try
        {
            denormalizer.Normalize(Encoding.UTF8.GetBytes(text), ref normalized);
            return Encoding.UTF8.GetString(normalized.Span);
        }
        finally
        {
            normalized.Dispose();
        }
    }

    /// <summary>Collects the text of pieces one by one.</summary>
    private sealed class PieceDecoder(SentencePieceProcessor processor)
    {
        private readonly StringBuilder _text = new();
        private readonly List<byte> _bytes = [];
        private bool _atStart = true;
        private bool _consumedSpace;

        public void Append(Piece piece)
        {
            if (piece.Type == PieceType.Byte)
            {
                _bytes.Add(ByteOf(piece.Text));
                return;
            }
            Advance();
            _text.Append(Surface(piece));
        }

        public void Append(string text)
        {
            Advance();
            _text.Append(text);
        }

        public string Finish()
        {
            AppendBytes(_bytes, _text);
            var denormalizer = processor._denormalizer;
            return denormalizer is null ? _text.ToString() : Denormalize(_text.ToString(), denormalizer);
        }

        private void Advance()
        {
            AppendBytes(_bytes, _text);
            if (_consumedSpace || _text.Length > 0)
                _atStart = false;
            _consumedSpace = false;
        }

        private string Surface(Piece piece)
        {
            var text = piece.Text;
            switch (piece.Type)
            {
                case PieceType.Control:
                    return "";
                case PieceType.Unknown:
                    return processor._model.UnknownSurface;
            }
            var settings = processor._model.Normalizer;
            if (_atStart && (settings.AddDummyPrefix || settings.RemoveExtraWhitespaces) && text[0] == '\u2581')
            {
                text = text[1..];
                // Where extra spaces are removed, every space at the start of the text is.
                _consumedSpace = !settings.RemoveExtraWhitespaces;
            }
            return text.Replace('\u2581', ' ');
        }
    }
}
