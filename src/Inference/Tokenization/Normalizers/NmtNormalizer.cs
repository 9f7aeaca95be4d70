namespace Seq2Seq.Inference.Tokenization.Normalizers;

/// <summary>Drops control characters and makes spaces of others (<c>Nmt</c>).</summary>
internal sealed class NmtNormalizer : INormalizer
{
    public void Normalize(NormalizedText text)
    {
        text.Filter(rune => !IsDropped(rune.Value));
        text.Map(MakeSpaces);
    }

    private static string MakeSpaces(string text) =>
        text.Any(IsSpace) ? string.Create(text.Length, text, static (to, from) => Fill(from, to)) : text;

    private static void Fill(string from, Span<char> to)
    {
        for (var i = 0; i < from.Length; i++)
            to[i] = IsSpace(from[i]) ? ' ' : from[i];
    }

    private static bool IsDropped(int value) =>
        value is (>= 0x01 and <= 0x08) or 0x0B or (>= 0x0E and <= 0x1F) or 0x7F or 0x8F or 0x9F;

    private static bool IsSpace(char value) =>
        value
            is '\t'
                or '\n'
                or '\f'
                or '\r'
                or '\u1680'
                or (>= '\u200B' and <= '\u200F')
                or '\u2028'
                or '\u2029'
                or '\u2581'
                or '\uFEFF'
                or '\uFFFD';
}
