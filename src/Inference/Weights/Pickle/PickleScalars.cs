using System.Globalization;
using System.Numerics;
using System.Text;

namespace Seq2Seq.Inference.Weights.Pickle;

/// <summary>Numbers and texts as pickles write them: whole numbers are <see cref="long"/>, or <see cref="BigInteger"/> beyond.</summary>
internal static class PickleScalars
{
    private const int MaxIntegerBytes = 64;

    /// <summary>LONG1, LONG4: two's complement, little-endian.</summary>
    public static object ReadInteger(PickleInput input, int length) =>
        length is >= 0 and <= MaxIntegerBytes
            ? Narrow(new BigInteger(input.ReadBytes((ulong)length)))
            : throw input.Refuse($"a whole number of {length} bytes is claimed; expected at most {MaxIntegerBytes}");

    /// <summary>INT, LONG: decimal digits; INT's 00 and 01 are False and True.</summary>
    public static object ReadIntegerLine(PickleInput input)
    {
        string text = input.ReadLine().TrimEnd('L');
        if (text is "00" or "01")
        {
            return text == "01";
        }

        return
            text.Length <= 2 * MaxIntegerBytes
            && BigInteger.TryParse(
                text,
                NumberStyles.AllowLeadingSign,
                CultureInfo.InvariantCulture,
                out BigInteger value
            )
            ? Narrow(value)
            : throw input.Refuse($"'{UntrustedText.Printable(text)}' is not a whole number");
    }

    /// <summary>FLOAT.</summary>
    public static double ReadFloatLine(PickleInput input)
    {
        string text = input.ReadLine();
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value)
            ? value
            : throw input.Refuse($"'{UntrustedText.Printable(text)}' is not a number");
    }

    /// <summary>GET, PUT.</summary>
    public static long ReadIndexLine(PickleInput input)
    {
        string text = input.ReadLine();
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long index)
            ? index
            : throw input.Refuse($"'{UntrustedText.Printable(text)}' is not an index of the memo");
    }

    /// <summary>STRING: in quotes. Escapes are refused: no name of a tensor has them.</summary>
    public static string ReadStringLine(PickleInput input)
    {
        string text = input.ReadLine();
        return
            text.Length >= 2
            && text[0] is '\'' or '"'
            && text[^1] == text[0]
            && !text.Contains('\\', StringComparison.Ordinal)
            ? text[1..^1]
            : throw input.Refuse("a text is not in quotes, or has escapes");
    }

    /// <summary>UNICODE: Python's raw-unicode-escape, Latin-1 and \uXXXX for the rest.</summary>
    public static string ReadUnicodeLine(PickleInput input)
    {
        string text = input.ReadLine();
        var result = new StringBuilder();
        for (int i = 0; i < text.Length; i++)
        {
            if (TryReadEscape(text.AsSpan(i), out ushort unit))
            {
                result.Append((char)unit);
                i += 5;
            }
            else
            {
                result.Append(text[i]);
            }
        }

        return result.ToString();
    }

    private static bool TryReadEscape(ReadOnlySpan<char> text, out ushort unit)
    {
        unit = 0;
        return text.Length >= 6
            && text.StartsWith(@"\u", StringComparison.Ordinal)
            && ushort.TryParse(text[2..6], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out unit);
    }

    private static object Narrow(BigInteger value)
    {
        if (value >= long.MinValue && value <= long.MaxValue)
        {
            long narrow = (long)value;
            return narrow;
        }

        return value;
    }
}
