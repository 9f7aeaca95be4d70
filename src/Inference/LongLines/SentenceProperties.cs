using System.Buffers;
using System.Globalization;
using System.Text;

namespace Seq2Seq.Inference.LongLines;

/// <summary>The values of Unicode's property Sentence_Break.</summary>
internal enum SentenceProperty
{
    Other,
    CarriageReturn,
    LineFeed,
    Separator,
    Extend,
    Format,
    Space,
    Lower,
    Upper,
    Letter,
    Numeric,
    Stop,
    Term,
    Continue,
    Close,
}

/// <summary>
/// Sentence_Break of a code point (SentenceBreakProperty.txt): marks by name, the rest by its general category, which differs
/// for a few hundred rare letters (circled and superscript ones) that end no sentence.
/// </summary>
internal static class SentenceProperties
{
    // Sentence_Terminal without the full stops, in pairs: first and last.
    private static readonly int[] Terms = Ranges(
        "21 3F 589 61D-61F 6D4 700-702 7F9 837 839 83D-83E 964-965 104A-104B 1362 1367-1368 166E 1735-1736 1803 1809 "
            + "1944-1945 1AA8-1AAB 1B5A-1B5B 1B5E-1B5F 1B7D-1B7E 1C3B-1C3C 1C7E-1C7F 203C-203D 2047-2049 2E2E 2E3C "
            + "2E53-2E54 3002 A4FF A60E-A60F A6F3 A6F7 A876-A877 A8CE-A8CF A92F A9C8-A9C9 AA5D-AA5F AAF0-AAF1 ABEB "
            + "FE56-FE57 FF01 FF1F FF61 10A56-10A57 10F55-10F59 10F86-10F89 11047-11048 110BE-110C1 11141-11143 "
            + "111C5-111C6 111CD 111DE-111DF 11238-11239 1123B-1123C 112A9 1144B-1144C 115C2-115C3 115C9-115D7 "
            + "11641-11642 1173C-1173E 11944 11946 11A42-11A43 11A9B-11A9C 11C41-11C42 11EF7-11EF8 16A6E-16A6F 16AF5 "
            + "16B37-16B38 16B44 16E98 1BC9F 1DA88"
    );

    private static readonly SearchValues<char> Stops = SearchValues.Create(".\u2024\uFE52\uFF0E");

    private static readonly SearchValues<char> Continuing = SearchValues.Create(
        ",-:\u055D\u060C\u060D\u07F8\u1802\u1808\u2013\u2014\u3001\uFE10\uFE11\uFE13\uFE31\uFE32\uFE50\uFE51\uFE55"
            + "\uFE58\uFE63\uFF0C\uFF0D\uFF1A\uFF64"
    );

    private static readonly SearchValues<char> OtherQuotes = SearchValues.Create(
        "\"'\u275B\u275C\u275D\u275E\u275F\u2760\u2E00\u2E01\u2E06\u2E07\u2E08\u2E0B"
    );

    public static SentenceProperty Of(Rune rune)
    {
        if (rune.IsBmp && OfMark((char)rune.Value) is var mark and not SentenceProperty.Other)
        {
            return mark;
        }

        return IsTerm(rune.Value) ? SentenceProperty.Term
            : Rune.IsWhiteSpace(rune) ? SentenceProperty.Space
            : OfCategory(rune);
    }

    private static SentenceProperty OfMark(char letter) =>
        letter switch
        {
            '\r' => SentenceProperty.CarriageReturn,
            '\n' => SentenceProperty.LineFeed,
            '\u0085' or '\u2028' or '\u2029' => SentenceProperty.Separator,
            '\u066B' or '\u066C' => SentenceProperty.Numeric,
            // Georgian begins no sentence with a capital, so that its small letters say nothing.
            >= '\u10D0' and <= '\u10FF' or >= '\u1C90' and <= '\u1CBF' => SentenceProperty.Letter,
            _ when Stops.Contains(letter) => SentenceProperty.Stop,
            _ when Continuing.Contains(letter) => SentenceProperty.Continue,
            _ when OtherQuotes.Contains(letter) => SentenceProperty.Close,
            _ => SentenceProperty.Other,
        };

    private static SentenceProperty OfCategory(Rune rune) =>
        Rune.GetUnicodeCategory(rune) switch
        {
            UnicodeCategory.LowercaseLetter => SentenceProperty.Lower,
            UnicodeCategory.UppercaseLetter or UnicodeCategory.TitlecaseLetter => SentenceProperty.Upper,
            UnicodeCategory.OtherLetter or UnicodeCategory.ModifierLetter or UnicodeCategory.LetterNumber =>
                SentenceProperty.Letter,
            UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark =>
                SentenceProperty.Extend,
            UnicodeCategory.Format => SentenceProperty.Format,
            UnicodeCategory.DecimalDigitNumber => SentenceProperty.Numeric,
            UnicodeCategory.OpenPunctuation
            or UnicodeCategory.ClosePunctuation
            or UnicodeCategory.InitialQuotePunctuation
            or UnicodeCategory.FinalQuotePunctuation => SentenceProperty.Close,
            _ => SentenceProperty.Other,
        };

    private static bool IsTerm(int value)
    {
        int found = Array.BinarySearch(Terms, value);
        // Not found: its place among the ends, which is odd inside a range.
        return found >= 0 || (~found & 1) == 1;
    }

    private static int[] Ranges(string text) =>
        [
            .. text.Split(' ')
                .Select(range => range.Split('-'))
                .SelectMany(range => new[] { range[0], range[^1] })
                .Select(value => int.Parse(value, NumberStyles.HexNumber, CultureInfo.InvariantCulture)),
        ];
}
