using System.Text;

namespace Seq2Seq.Inference.Weights;

/// <summary>Makes text of a file that nobody trusts fit for a message: printable, and not long.</summary>
internal static class UntrustedText
{
    private const int MaxLength = 120;

    public static string Printable(string text)
    {
        var printable = new StringBuilder();
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (printable.Length >= MaxLength)
            {
                return printable.Append('…').ToString();
            }

            printable.Append(Rune.IsControl(rune) ? "�" : rune.ToString());
        }

        return printable.ToString();
    }
}
