using Seq2Seq.Inference.Tokenization.Layouts;
using Seq2Seq.Inference.Tokenization.Models;
using Seq2Seq.Inference.Tokenization.Unicode;

namespace Seq2Seq.Inference.Tokenization.Standalone;

/// <summary>
/// Blenderbot 90M (<c>BlenderbotSmallTokenizer</c>): lower case, punctuation apart, byte-pair encoding of words with
/// "@@" behind every piece but the last. No special tokens go around.
/// </summary>
internal sealed class BlenderbotSmallTokenizer : StandaloneTokenizer
{
    private const string Continues = "@@";

    private readonly Vocabulary _vocabulary;
    private readonly WordMerges _merges;
    private readonly string _unknown;

    private BlenderbotSmallTokenizer(
        TokenizerSettings settings,
        AddedWords added,
        Vocabulary vocabulary,
        WordMerges merges,
        string unknown
    )
        : base(settings, added) => (_vocabulary, _merges, _unknown) = (vocabulary, merges, unknown);

    public static Tokenizer Load(TokenizerFolder folder)
    {
        var settings = folder.Settings;
        var special = new SpecialTokens(settings);
        var unknown = special.Get("unk_token", "__unk__");
        var vocabulary = folder.Guard("vocab.json", () => Vocabulary.Read(folder.Json("vocab.json")!.Value));
        // The first line is a version, the last one empty.
        var lines = folder.Text("merges.txt").Split('\n');
        var merges = WordMerges.Read(lines.Skip(1).Take(Math.Max(0, lines.Length - 2)));
        var added = AddedWords.Of(
            settings,
            [
                special.Get("bos_token", "__start__"),
                special.Get("eos_token", "__end__"),
                unknown,
                special.Find("sep_token"),
                special.Get("pad_token", "__null__"),
                special.Find("cls_token"),
                special.Find("mask_token"),
            ],
            settings.ExtraSpecialTokens ?? settings.AdditionalSpecialTokens ?? [],
            vocabulary.IdOf,
            vocabulary.Count
        );
        return new BlenderbotSmallTokenizer(settings, added, vocabulary, merges, unknown.Content);
    }

    protected override SequenceFrame FrameOf(EncodeOptions options) => SequenceFrame.None;

    protected override void EncodeText(string text, EncodeOptions options, List<int> ids)
    {
        for (var start = 0; start < text.Length; )
        {
            // Unicode's white space alone: the words are found by the regex library.
            if (char.IsWhiteSpace(text[start]))
            {
                start++;
                continue;
            }
            var end = start + 1;
            while (end < text.Length && !char.IsWhiteSpace(text[end]))
                end++;
            // A newline right behind a word is kept with it.
            if (end < text.Length && text[end] == '\n')
                end++;
            EncodeWord(text[start..end], ids);
            start = end;
        }
    }

    protected override string? TokenOf(int id, DecodeOptions options) => _vocabulary.TokenOf(id) ?? _unknown;

    protected override string Join(List<string> tokens, DecodeOptions options) =>
        PythonText.Trim(string.Join(' ', tokens).Replace(Continues + " ", "", StringComparison.Ordinal));

    private void EncodeWord(string word, List<int> ids)
    {
        foreach (var part in Separate(word).Split(' '))
        {
            if (part.Length == 0)
                continue;
            var lower = PythonText.ToLower(part);
            var pieces = _merges.Split(lower);
            pieces[^1] = pieces[^1][..^WordMerges.EndOfWord.Length];
            for (var i = 0; i < pieces.Count; i++)
            {
                var token = i + 1 < pieces.Count ? pieces[i] + Continues : pieces[i];
                if (
                    (Added.Id(token) ?? _vocabulary.IdOf(PythonText.ToLower(token)) ?? _vocabulary.IdOf(_unknown)) is
                    { } id
                )
                    ids.Add(id);
            }
        }
    }

    /// <summary>Spaces before . , ! ? ( ) and around apostrophes, a word for a newline, none for one behind a space.</summary>
    private static string Separate(string word)
    {
        var separated = new System.Text.StringBuilder(word.Length + 8);
        foreach (var character in word)
        {
            if (character is '.' or ',' or '!' or '?' or '(' or ')')
                separated.Append(' ').Append(character);
            else if (character == '\'')
                separated.Append(" ' ");
            else if (character != '\n')
                separated.Append(character);
            else if (separated[^1] != ' ')
                separated.Append(" __newln__");
        }
        return separated.ToString();
    }
}
