using System.Text;

namespace Seq2Seq.Inference.Tests.Fuzzing;

/// <summary>
/// Texts that nobody would write: any UTF-16 with halves of surrogate pairs, controls, piles of accents, long runs, parts of real
/// texts, and what looks like special tokens.
/// </summary>
internal static class FuzzText
{
    private const int LongestRun = 3000;

    private static readonly (int First, int Last)[] _ranges =
    [
        (0x20, 0x7E),
        (0x20, 0x7E),
        (0, 0x1F),
        (0x7F, 0x17F),
        (0x300, 0x36F),
        (0x370, 0x5FF),
        (0x600, 0x97F),
        (0x1100, 0x11FF),
        (0x1E00, 0x206F),
        (0x20A0, 0x2BFF),
        (0x3000, 0x30FF),
        (0x4E00, 0x9FFF),
        (0xAC00, 0xD7A3),
        (0xE000, 0xE010),
        (0xF900, 0xFFFF),
        (0x1D400, 0x1D7FF),
        (0x1F000, 0x1FAFF),
        (0x20000, 0x2FA1F),
        (0xE0000, 0xE01FF),
        (0x10FFFE, 0x10FFFF),
    ];

    private static readonly string[] _marks =
    [
        " ",
        "  ",
        "\t",
        "\n",
        "\r\n",
        "\0",
        "\u2581",
        "\u0120",
        "##",
        "@@",
        "</w>",
        "\u00A0",
        "\u200B",
        "\u200D",
        "\u3000",
        "\uFEFF",
        "\uFFFD",
        "\uFFFE",
        "\u0301",
        "\u0345",
        "\uD83D",
        "\uDE00",
        "\uD83D\uDC68\u200D\uD83D\uDC69",
        "'s",
        " n't",
        "<0x41>",
        "<0x",
        "<",
        "&amp;",
        "\u0130",
        "\u03A3",
        "\uFB03",
    ];

    /// <param name="real">Texts to take parts of.</param>
    /// <param name="special">Special tokens of the tokenizer.</param>
    /// <param name="random">Decides everything.</param>
    public static string Next(IReadOnlyList<string> real, IReadOnlyList<string> special, Random random)
    {
        StringBuilder text = new();
        for (int parts = random.Next(1, 8); parts > 0; parts--)
        {
            Append(text, real, special, random);
        }

        return text.ToString();
    }

    private static void Append(
        StringBuilder text,
        IReadOnlyList<string> real,
        IReadOnlyList<string> special,
        Random random
    )
    {
        switch (random.Next(9))
        {
            case 0 or 1 or 2 when real.Count > 0:
                string whole = real[random.Next(real.Count)];
                int start = random.Next(whole.Length + 1);
                text.Append(whole, start, random.Next(whole.Length - start + 1));
                break;
            case 3 when special.Count > 0:
                string token = special[random.Next(special.Count)];
                text.Append(token, 0, random.Next(4) == 0 ? random.Next(token.Length + 1) : token.Length);
                break;
            case 4:
                string mark = _marks[random.Next(_marks.Length)];
                text.Insert(text.Length, mark, random.Next(10) == 0 ? random.Next(1, LongestRun) : random.Next(1, 4));
                break;
            case 5:
                string one = Character(random);
                text.Insert(text.Length, one, random.Next(4) == 0 ? random.Next(1, LongestRun) : 1);
                break;
            case 6:
                text.Append((char)random.Next(0x10000));
                break;
            case 7:
                text.Append(Character(random));
                for (int accents = random.Next(40); accents > 0; accents--)
                {
                    text.Append((char)random.Next(0x300, 0x370));
                }

                break;
            default:
                for (int count = random.Next(1, 12); count > 0; count--)
                {
                    text.Append(Character(random));
                }

                break;
        }
    }

    private static string Character(Random random)
    {
        (int first, int last) = _ranges[random.Next(_ranges.Length)];
        return char.ConvertFromUtf32(random.Next(first, last + 1));
    }
}
