using System.Buffers;
using System.Text;

namespace Seq2Seq.Inference.Tokenization.SentencePiece;

/// <summary>
/// sentencepiece's <c>Normalizer::Normalize</c>: character rules (longest key first, user-defined symbols untouched),
/// runs of spaces made one, spaces written as ▁, a ▁ before (or behind) the text. Works on valid UTF-8.
/// </summary>
internal sealed class SentencePieceNormalizer
{
    private static readonly byte[] Underline = "\u2581"u8.ToArray();

    private readonly CharsMap? _charsMap;
    private readonly PieceTrie? _userDefined;
    private readonly NormalizerSettings _settings;
    private readonly bool _treatWhitespaceAsSuffix;
    private readonly byte[] _space;

    /// <summary>ASCII characters that a following ASCII character lets pass unchanged: no rule, no symbol, no space.</summary>
    private readonly SearchValues<byte> _plain;

    /// <summary>Whether the same holds for the space, which is escaped.</summary>
    private readonly bool _spaceIsPlain;

    public SentencePieceNormalizer(
        NormalizerSettings settings,
        bool treatWhitespaceAsSuffix,
        IReadOnlyCollection<string> userDefined
    )
    {
        _settings = settings;
        _treatWhitespaceAsSuffix = treatWhitespaceAsSuffix;
        _space = settings.EscapeWhitespaces ? Underline : " "u8.ToArray();
        _charsMap = settings.CharsMap.Length == 0 ? null : CharsMap.Read(settings.CharsMap);
        _userDefined = userDefined.Count == 0 ? null : PieceTrie.Build(userDefined.Select((text, i) => (text, i)));
        var plain = Enumerable.Range(0, 128).Select(ascii => (byte)ascii).Where(IsPlain).ToList();
        _spaceIsPlain = plain.Remove((byte)' ');
        _plain = SearchValues.Create([.. plain]);
    }

    public void Normalize(ReadOnlySpan<byte> text, scoped ref PooledList<byte> output)
    {
        var removeExtra = _settings.RemoveExtraWhitespaces;
        if (removeExtra)
        {
            while (!text.IsEmpty && Prefix(text, out var leading).SequenceEqual(" "u8))
                text = text[leading..];
        }
        if (text.IsEmpty)
            return;

        if (_settings.AddDummyPrefix && !_treatWhitespaceAsSuffix)
            output.AddRange(_space);
        var previousIsSpace = removeExtra;
        while (!text.IsEmpty)
        {
            var run = PlainRun(text);
            if (run > 0)
            {
                output.AddRange(text[..run]);
                text = text[run..];
                previousIsSpace = false;
                continue;
            }
            if (_spaceIsPlain && text[0] == ' ' && (text.Length == 1 || text[1] < 128))
            {
                if (!previousIsSpace)
                    output.AddRange(_space);
                previousIsSpace = removeExtra;
                text = text[1..];
                continue;
            }
            var piece = Prefix(text, out var consumed);
            text = text[consumed..];
            while (previousIsSpace && piece.Length > 0 && piece[0] == ' ')
                piece = piece[1..];
            if (!piece.IsEmpty)
            {
                previousIsSpace = piece[^1] == ' ';
                AppendEscaped(piece, ref output);
            }
            if (!removeExtra)
                previousIsSpace = false;
        }
        if (removeExtra)
        {
            while (output.Span.EndsWith(_space))
                output.Truncate(output.Count - _space.Length);
        }
        if (_settings.AddDummyPrefix && _treatWhitespaceAsSuffix)
            output.AddRange(_space);
    }

    /// <summary>How many characters may be copied as they are. The last ASCII one before another script may not.</summary>
    private int PlainRun(ReadOnlySpan<byte> text)
    {
        var run = text.IndexOfAnyExcept(_plain);
        if (run < 0)
            run = text.Length;
        return run > 0 && run < text.Length && text[run] >= 128 ? run - 1 : run;
    }

    private bool IsPlain(byte ascii) =>
        (_charsMap is null || _charsMap.IsPlain(ascii))
        && (_userDefined is null || _userDefined.Step(PieceTrie.Root, ascii) < 0);

    private ReadOnlySpan<byte> Prefix(ReadOnlySpan<byte> text, out int consumed)
    {
        if (_userDefined is not null && (consumed = _userDefined.Longest(text)) > 0)
            return text[..consumed];
        if (_charsMap is not null && (consumed = _charsMap.Longest(text, out var replacement)) > 0)
            return replacement;
        Rune.DecodeFromUtf8(text, out _, out consumed);
        return text[..consumed];
    }

    private void AppendEscaped(ReadOnlySpan<byte> piece, ref PooledList<byte> output)
    {
        if (!_settings.EscapeWhitespaces)
        {
            output.AddRange(piece);
            return;
        }
        for (var space = piece.IndexOf((byte)' '); space >= 0; space = piece.IndexOf((byte)' '))
        {
            output.AddRange(piece[..space]);
            output.AddRange(Underline);
            piece = piece[(space + 1)..];
        }
        output.AddRange(piece);
    }
}
