using System.Text;
using System.Text.RegularExpressions;
using Seq2Seq.Inference.Tokenization.Unicode;

namespace Seq2Seq.Inference.Tokenization.Moses;

/// <summary>
/// Moses' punctuation, as FSMT applies it before its tokenizer: full-width signs made plain, quotes and spaces regular,
/// controls out (replace-unicode-punctuation.perl, normalize-punctuation.perl and remove-non-printing-char.perl by way of
/// sacremoses 0.2).
/// </summary>
internal sealed partial class MosesPunctuation
{
    private readonly List<Func<string, string>> _steps = [];

    public MosesPunctuation(string language)
    {
        AddSpacing();
        // Penn Treebank's quotes.
        Add("`", "'");
        Add("''", " \" ");
        AddSigns();
        AddFrenchQuotes();
        AddPseudoSpaces();
        if (language == "en")
        {
            _steps.Add(text => EnglishQuoteComma().Replace(text, "${signs}\""));
        }
        else if (language is "de" or "es" or "fr")
        {
            Add(",\"", "\",");
            _steps.Add(text => PeriodQuote().Replace(text, "\"${periods}${rest}"));
        }
        var separator = language is "de" or "es" or "cz" or "cs" or "fr" ? "${left},${right}" : "${left}.${right}";
        _steps.Add(text => SpacedNumber().Replace(text, separator));
    }

    public string Normalize(string text)
    {
        text = ReplaceWideSigns(text);
        foreach (var step in _steps)
            text = step(text);
        return RemoveControls(PythonText.Trim(text));
    }

    private void AddSpacing()
    {
        Add("\r", "");
        Add("(", " (");
        Add(")", ") ");
        _steps.Add(OneSpace);
        _steps.Add(text => ClosedBeforeSign().Replace(text, ")${sign}"));
        Add("( ", "(");
        Add(" )", ")");
        _steps.Add(text => SpacedPercent().Replace(text, "${digit}%"));
        Add(" :", ":");
        Add(" ;", ";");
    }

    private void AddSigns()
    {
        Add("„", "\"");
        Add("“", "\"");
        Add("”", "\"");
        Add("–", "-");
        Add("—", " - ");
        _steps.Add(OneSpace);
        Add("´", "'");
        _steps.Add(text => OpenQuoteInWord().Replace(text, "${left}'${right}"));
        _steps.Add(text => CloseQuoteInWord().Replace(text, "${left}'${right}"));
        Add("‘", "'");
        Add("‚", "'");
        Add("’", "'");
        Add("''", "\"");
        Add("´´", "\"");
        Add("…", "...");
    }

    private void AddFrenchQuotes()
    {
        Add("\u00A0«\u00A0", "\"");
        Add("«\u00A0", "\"");
        Add("«", "\"");
        Add("\u00A0»\u00A0", "\"");
        Add("\u00A0»", "\"");
        Add("»", "\"");
    }

    private void AddPseudoSpaces()
    {
        Add("\u00A0%", "%");
        Add("nº\u00A0", "nº ");
        Add("\u00A0:", ":");
        Add("\u00A0ºC", " ºC");
        Add("\u00A0cm", " cm");
        Add("\u00A0?", "?");
        Add("\u00A0!", "!");
        Add("\u00A0;", ";");
        Add(",\u00A0", ", ");
        _steps.Add(OneSpace);
    }

    private void Add(string old, string replacement) =>
        _steps.Add(text => text.Replace(old, replacement, StringComparison.Ordinal));

    private static string OneSpace(string text) => Spaces().Replace(text, " ");

    private static string ReplaceWideSigns(string text)
    {
        var result = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            switch (text[i])
            {
                case '。' or '．':
                    // With the white space behind it.
                    result.Append(". ");
                    while (i + 1 < text.Length && PythonText.IsSpace(text[i + 1]))
                        i++;
                    break;
                case '…':
                    result.Append("...");
                    break;
                case >= '０' and <= '９':
                    result.Append((char)(text[i] - '０' + '0'));
                    break;
                default:
                    result.Append(PlainSign(text[i]));
                    break;
            }
        }
        return result.ToString();
    }

    private static char PlainSign(char sign) =>
        sign switch
        {
            '，' or '、' => ',',
            '”' or '“' or '《' or '》' or '」' or '「' => '"',
            '∶' or '：' => ':',
            '？' => '?',
            '）' => ')',
            '！' => '!',
            '（' => '(',
            '；' => ';',
            '～' => '~',
            '’' => '\'',
            '━' => '-',
            '〈' => '<',
            '〉' => '>',
            '【' => '[',
            '】' => ']',
            '％' => '%',
            _ => sign,
        };

    private static string RemoveControls(string text)
    {
        var kept = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            if (
                !CharacterClass.IsOther(rune)
                && Rune.GetUnicodeCategory(rune) != System.Globalization.UnicodeCategory.OtherNotAssigned
            )
                kept.Append(rune.ToString());
        }
        return kept.ToString();
    }

    [GeneratedRegex(" +", RegexOptions.None, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Spaces();

    [GeneratedRegex(@"\) (?<sign>[.!:?;,])", RegexOptions.None, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex ClosedBeforeSign();

    [GeneratedRegex(@"(?<digit>\d) %", RegexOptions.None, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex SpacedPercent();

    [GeneratedRegex("(?<left>[a-zA-Z])‘(?<right>[a-zA-Z])", RegexOptions.None, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex OpenQuoteInWord();

    [GeneratedRegex("(?<left>[a-zA-Z])’(?<right>[a-zA-Z])", RegexOptions.None, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex CloseQuoteInWord();

    [GeneratedRegex("\"(?<signs>[,.]+)", RegexOptions.None, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex EnglishQuoteComma();

    [GeneratedRegex(
        @"(?<periods>\.+)""(?<rest>[\s\x1c-\x1f]*[^<])",
        RegexOptions.None,
        matchTimeoutMilliseconds: 10_000
    )]
    private static partial Regex PeriodQuote();

    [GeneratedRegex(@"(?<left>\d)\u00A0(?<right>\d)", RegexOptions.None, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex SpacedNumber();
}
