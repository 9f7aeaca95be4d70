using System.Collections.Frozen;
using System.Text;
using Seq2Seq.Inference.Tokenization.Unicode;

namespace Seq2Seq.Inference.Tokenization.Moses;

/// <summary>
/// The character sets of Moses' tokenizer, from characters.txt: what sacremoses has of Perl's properties, which leaves out
/// most of the ideographs. Languages that are written in them get theirs added.
/// </summary>
internal sealed class MosesCharacters
{
    private static readonly Lazy<FrozenDictionary<string, CodePointSet>> Sets = new(() =>
        CodePointSet.ReadAll("moses-characters.txt")
    );

    private readonly HashSet<int> _scripts = [];

    public MosesCharacters(string language)
    {
        string[] scripts = language switch
        {
            "zh" => ["han"],
            "ja" => ["han", "hiragana", "katakana"],
            "ko" => ["hangul"],
            "cjk" => ["han", "hiragana", "katakana", "hangul"],
            _ => [],
        };
        foreach (var script in scripts)
            _scripts.Add(UnicodeScripts.Find(script)!.Value);
    }

    public static bool IsNumber(Rune rune) => Sets.Value["N"].Contains(rune);

    public static bool IsLower(Rune rune) => Sets.Value["Lower"].Contains(rune);

    public static bool IsCurrency(Rune rune) => Sets.Value["Sc"].Contains(rune);

    /// <summary>Letters alone, without what the tokenizer adds for Indic scripts.</summary>
    public static bool IsPlainAlpha(Rune rune) => Sets.Value["Alpha"].Contains(rune);

    public bool IsAlpha(Rune rune) => IsPlainAlpha(rune) || IsAdded(rune);

    public bool IsAlphanumeric(Rune rune) => Sets.Value["Alnum"].Contains(rune) || IsAdded(rune);

    private bool IsAdded(Rune rune) =>
        Sets.Value["Indic"].Contains(rune) || (_scripts.Count > 0 && _scripts.Contains(UnicodeScripts.Of(rune)));
}
