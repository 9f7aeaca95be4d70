using System.Globalization;
using System.Text;
using Seq2Seq.Inference.Tokenization.SentencePiece;

namespace Seq2Seq.Inference.Tokenization.Decoders;

/// <summary>
/// Reads runs of byte tokens (&lt;0xC3&gt;) as UTF-8; a run that is none becomes one U+FFFD a byte (<c>ByteFallback</c>),
/// or, as sentencepiece has it, only those of its bytes that belong to no character.
/// </summary>
internal sealed class ByteFallbackDecoder(bool keepsValidCharacters = false) : ITokenDecoder
{
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    public List<string> Decode(List<string> tokens)
    {
        var result = new List<string>(tokens.Count);
        var bytes = new List<byte>();
        foreach (var token in tokens)
        {
            if (TryParse(token, out var value))
            {
                bytes.Add(value);
                continue;
            }
            Flush(bytes, result);
            result.Add(token);
        }
        Flush(bytes, result);
        return result;
    }

    public byte[]? BytesOf(string token) => TryParse(token, out var value) ? [value] : null;

    public static bool TryParse(string token, out byte value)
    {
        value = 0;
        return token.Length == 6
            && token.StartsWith("<0x", StringComparison.Ordinal)
            && token[5] == '>'
            && byte.TryParse(
                token.AsSpan(3, 2),
                NumberStyles.AllowHexSpecifier,
                CultureInfo.InvariantCulture,
                out value
            );
    }

    private void Flush(List<byte> bytes, List<string> result)
    {
        if (bytes.Count == 0)
            return;
        if (keepsValidCharacters)
        {
            var text = new StringBuilder();
            SentencePieceProcessor.AppendBytes(bytes, text);
            result.Add(text.ToString());
            return;
        }
        try
        {
            result.Add(Strict.GetString([.. bytes]));
        }
        catch (DecoderFallbackException)
        {
            result.AddRange(Enumerable.Repeat("\uFFFD", bytes.Count));
        }
        bytes.Clear();
    }
}
