using System.Text;
using Seq2Seq.Inference.Tokenization.Unicode;

namespace Seq2Seq.Inference.Tokenization.PreTokenizers;

/// <summary>
/// Cuts where the script changes (<c>UnicodeScripts</c>). Japanese syllables count as Han; spaces and characters without
/// a script go along with what is before them.
/// </summary>
internal sealed class UnicodeScriptsPreTokenizer : IPreTokenizer
{
    private static readonly int Han = UnicodeScripts.Find("han")!.Value;
    private static readonly int Hiragana = UnicodeScripts.Find("hiragana")!.Value;
    private static readonly int Katakana = UnicodeScripts.Find("katakana")!.Value;

    public void Split(TextPiece piece, List<TextPiece> output)
    {
        // What comes before the first character with a script belongs to no part.
        var (start, position, last) = (-1, 0, UnicodeScripts.None);
        foreach (var rune in piece.Span.EnumerateRunes())
        {
            var script = ScriptOf(rune);
            if (script != UnicodeScripts.None && script != last)
            {
                if (start >= 0)
                    output.Add(piece.Slice(start, position - start));
                (start, last) = (position, script);
            }
            position += rune.Utf16SequenceLength;
        }
        if (start >= 0 && start < position)
            output.Add(piece.Slice(start, position - start));
    }

    private static int ScriptOf(Rune rune)
    {
        if (rune.Value == ' ')
            return UnicodeScripts.None;
        // The mark that makes Japanese vowels long.
        if (rune.Value == 0x30FC)
            return Han;
        var script = UnicodeScripts.Of(rune);
        return script == Hiragana || script == Katakana ? Han : script;
    }
}
