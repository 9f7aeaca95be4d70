using System.Text;

namespace Seq2Seq.Inference.LongLines;

/// <summary>
/// Where sentences end, by the rules of Unicode (UAX #29, "Sentence Boundaries", SB1 to SB998): behind a full stop, a question
/// or exclamation mark of any script and the quotes, brackets and spaces that follow, and behind each line break; not behind
/// a full stop that a small letter or a digit continues. They know no abbreviations: "Mr. Smith" is two.
/// </summary>
internal static class SentenceBoundaries
{
    private enum Term
    {
        None,

        /// <summary>A full stop, which may also be that of a number or an abbreviation.</summary>
        Stop,
        Sure,
    }

    private enum Behind
    {
        Term,
        Close,
        Space,
    }

    /// <summary>The ends of a text's sentences, each with the white space behind it; the last is the text's own.</summary>
    public static List<int> Ends(string text)
    {
        List<int> ends = [];
        var (term, behind, previous) = (Term.None, Behind.Term, SentenceProperty.Other);
        bool afterLetter = false;
        for (int at = 0; at < text.Length; )
        {
            _ = Rune.DecodeFromUtf16(text.AsSpan(at), out Rune rune, out int length);
            SentenceProperty property = PropertyOf(rune);
            if (IsParagraphEnd(previous))
            {
                // SB3, SB4.
                if (!(previous == SentenceProperty.CarriageReturn && property == SentenceProperty.LineFeed))
                {
                    ends.Add(at);
                }

                (term, afterLetter) = (Term.None, false);
            }
            else if (property is SentenceProperty.Extend or SentenceProperty.Format)
            {
                // SB5: part of the character before it.
                at += length;
                continue;
            }
            else if (term != Term.None)
            {
                switch (property)
                {
                    case SentenceProperty.Close when behind != Behind.Space:
                        behind = Behind.Close;
                        (previous, at) = (property, at + length);
                        continue;
                    case SentenceProperty.Space:
                        behind = Behind.Space;
                        (previous, at) = (property, at + length);
                        continue;
                }

                if (IsParagraphEnd(property))
                {
                    // SB9, SB10: the end comes behind it.
                }
                else if (!Continues(text, at, property, term, behind, afterLetter))
                {
                    ends.Add(at);
                }

                term = Term.None;
            }

            if (property is SentenceProperty.Stop or SentenceProperty.Term)
            {
                term = property == SentenceProperty.Stop ? Term.Stop : Term.Sure;
                afterLetter = previous is SentenceProperty.Lower or SentenceProperty.Upper;
                behind = Behind.Term;
            }

            (previous, at) = (property, at + length);
        }

        if (text.Length > 0)
        {
            ends.Add(text.Length);
        }

        return ends;
    }

    /// <summary>SB6, SB7, SB8 and SB8a: whether what follows a term belongs to its sentence.</summary>
    private static bool Continues(
        string text,
        int at,
        SentenceProperty property,
        Term term,
        Behind behind,
        bool afterLetter
    ) =>
        property is SentenceProperty.Continue or SentenceProperty.Stop or SentenceProperty.Term
        || (
            term == Term.Stop
            && (
                (behind == Behind.Term && property == SentenceProperty.Numeric)
                || (behind == Behind.Term && afterLetter && property == SentenceProperty.Upper)
                || IsLowerNext(text, at)
            )
        );

    /// <summary>Whether the next letter is a small one, with no term or line break before it.</summary>
    private static bool IsLowerNext(string text, int at)
    {
        foreach (Rune rune in text.AsSpan(at).EnumerateRunes())
        {
            SentenceProperty property = PropertyOf(rune);
            if (property == SentenceProperty.Lower)
            {
                return true;
            }

            if (
                property
                    is SentenceProperty.Upper
                        or SentenceProperty.Letter
                        or SentenceProperty.Stop
                        or SentenceProperty.Term
                || IsParagraphEnd(property)
            )
            {
                return false;
            }
        }

        return false;
    }

    private static bool IsParagraphEnd(SentenceProperty property) =>
        property is SentenceProperty.CarriageReturn or SentenceProperty.LineFeed or SentenceProperty.Separator;

    private static SentenceProperty PropertyOf(Rune rune) => SentenceProperties.Of(rune);
}
