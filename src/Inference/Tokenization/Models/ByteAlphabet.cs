using System.Text;

namespace Seq2Seq.Inference.Tokenization.Models;

/// <summary>
/// GPT-2's alphabet of 256 printable characters, one for each byte: Latin-1's visible ones stand for themselves, the
/// others follow from U+0100 on (a space is Ġ).
/// </summary>
internal static class ByteAlphabet
{
    private static readonly char[] ToChar = Build();
    private static readonly short[] ToByte = Invert();

    public static string Encode(ReadOnlySpan<char> text)
    {
        var utf8 = new byte[Encoding.UTF8.GetByteCount(text)];
        Encoding.UTF8.GetBytes(text, utf8);
        return string.Create(
            utf8.Length,
            utf8,
            static (output, bytes) =>
            {
                for (var i = 0; i < bytes.Length; i++)
                    output[i] = ToChar[bytes[i]];
            }
        );
    }

    /// <summary>False, and nothing added, when a character is none of the alphabet.</summary>
    public static bool TryDecode(ReadOnlySpan<char> text, List<byte> bytes)
    {
        foreach (var character in text)
        {
            if (character >= ToByte.Length || ToByte[character] < 0)
                return false;
        }
        foreach (var character in text)
            bytes.Add((byte)ToByte[character]);
        return true;
    }

    private static char[] Build()
    {
        var alphabet = new char[256];
        var next = 256;
        for (var value = 0; value < 256; value++)
        {
            var visible = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            alphabet[value] = (char)(visible ? value : next++);
        }
        return alphabet;
    }

    private static short[] Invert()
    {
        var inverse = new short[ToChar.Max() + 1];
        Array.Fill(inverse, (short)-1);
        for (var value = 0; value < 256; value++)
            inverse[ToChar[value]] = (short)value;
        return inverse;
    }
}
