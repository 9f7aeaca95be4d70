using System.Globalization;
using System.Text;
using Seq2Seq.Inference.Tokenization.Layouts;
using Seq2Seq.Inference.Tokenization.Models;
using Seq2Seq.Inference.Tokenization.Unicode;

namespace Seq2Seq.Inference.Tokenization.Standalone;

/// <summary>
/// ProphetNet (<c>ProphetNetTokenizer</c>): BERT's first tokenizer in Python, from <c>prophetnet.tokenizer</c>; a
/// separator behind each sequence.
/// </summary>
internal sealed class ProphetNetTokenizer : StandaloneTokenizer
{
    private readonly Vocabulary _vocabulary;
    private readonly WordPieceModel _wordPiece;
    private readonly SequenceFrame _frame;
    private readonly HashSet<string> _neverSplit;
    private readonly string _unknown;
    private readonly bool _basic;
    private readonly bool _lowercase;
    private readonly bool _spacesChinese;
    private readonly bool _stripsAccents;

    private ProphetNetTokenizer(
        TokenizerSettings settings,
        AddedWords added,
        Vocabulary vocabulary,
        string unknown,
        int separator
    )
        : base(settings, added, cleansUp: true)
    {
        (_vocabulary, _unknown) = (vocabulary, unknown);
        _wordPiece = new WordPieceModel(vocabulary, unknown);
        _frame = SequenceFrame.EndOfEach(separator);
        _neverSplit = (settings.Strings("never_split") ?? []).ToHashSet(StringComparer.Ordinal);
        _basic = settings.Boolean("do_basic_tokenize") ?? true;
        _lowercase = settings.Boolean("do_lower_case") ?? true;
        _spacesChinese = settings.Boolean("tokenize_chinese_chars") ?? true;
        _stripsAccents = settings.Boolean("strip_accents") ?? _lowercase;
    }

    public static Tokenizer Load(TokenizerFolder folder)
    {
        var settings = folder.Settings;
        var special = new SpecialTokens(settings);
        var (unknown, separator) = (special.Get("unk_token", "[UNK]"), special.Get("sep_token", "[SEP]"));
        var text = folder.Text("prophetnet.tokenizer").ReplaceLineEndings("\n");
        var vocabulary = Vocabulary.ReadLines(text);
        if (vocabulary.IdOf(unknown.Content) is null)
            throw new InvalidDataException($"The vocabulary has no {unknown.Content}.");
        var further = settings.ExtraSpecialTokens ?? settings.AdditionalSpecialTokens ?? [];
        // The second separator has a name of its own, so it stands with the named ones.
        var second = settings.Names("x_sep_token") ? null : SpecialTokens.Plain("[X_SEP]");
        var added = AddedWords.Of(
            settings,
            [
                special.Find("bos_token"),
                special.Find("eos_token"),
                unknown,
                separator,
                special.Get("pad_token", "[PAD]"),
                special.Find("cls_token"),
                special.Get("mask_token", "[MASK]"),
                second,
            ],
            further,
            vocabulary.IdOf,
            vocabulary.Count
        );
        var separatorId = added.Id(separator.Content) ?? vocabulary.IdOf(unknown.Content)!.Value;
        return new ProphetNetTokenizer(settings, added, vocabulary, unknown.Content, separatorId);
    }

    protected override SequenceFrame FrameOf(EncodeOptions options) => _frame;

    protected override void EncodeText(string text, EncodeOptions options, List<int> ids)
    {
        foreach (var word in _basic ? Words(text, options.SplitSpecialTokens) : PythonText.Split(text))
        {
            if (_neverSplit.Contains(word))
                ids.Add(Added.Id(word) ?? _vocabulary.IdOf(word) ?? _vocabulary.IdOf(_unknown)!.Value);
            else
                _wordPiece.Tokenize(word, ids);
        }
    }

    protected override string? TokenOf(int id, DecodeOptions options) => _vocabulary.TokenOf(id) ?? _unknown;

    protected override string Join(List<string> tokens, DecodeOptions options) =>
        PythonText.Trim(string.Join(' ', tokens).Replace(" ##", "", StringComparison.Ordinal));

    private List<string> Words(string text, bool splitSpecialTokens)
    {
        var words = new List<string>();
        foreach (var token in PythonText.Split(UnicodeForm.Apply(Clean(text), NormalizationForm.FormC)))
        {
            if (_neverSplit.Contains(token) || (!splitSpecialTokens && Added.IsSpecial(token)))
            {
                words.Add(token);
                continue;
            }
            var word = _lowercase ? PythonText.ToLower(token) : token;
            if (_stripsAccents)
                word = StripAccents(word);
            SplitPunctuation(word, words);
        }
        return words;
    }

    /// <summary>Controls out, white space made spaces, spaces around Chinese.</summary>
    private string Clean(string text)
    {
        var clean = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            var category = Rune.GetUnicodeCategory(rune);
            if (rune.Value is '\t' or '\n' or '\r' || category == UnicodeCategory.SpaceSeparator)
                clean.Append(' ');
            else if (rune.Value is 0 or 0xFFFD || IsControl(category))
                continue;
            else if (_spacesChinese && IsChinese(rune.Value))
                clean.Append(' ').Append(rune.ToString()).Append(' ');
            else
                clean.Append(rune.ToString());
        }
        return clean.ToString();
    }

    // Python's category C*, which has the unassigned characters too.
    private static bool IsControl(UnicodeCategory category) =>
        category
            is UnicodeCategory.Control
                or UnicodeCategory.Format
                or UnicodeCategory.Surrogate
                or UnicodeCategory.PrivateUse
                or UnicodeCategory.OtherNotAssigned;

    // Unlike the tokenizers library, Python has extension E from its beginning.
    private static bool IsChinese(int value) =>
        value is >= 0x2B820 and <= 0x2CEAF || CharacterClass.IsChinese(new Rune(value));

    private static string StripAccents(string text)
    {
        var kept = new StringBuilder(text.Length);
        foreach (var rune in UnicodeForm.Apply(text, NormalizationForm.FormD).EnumerateRunes())
        {
            if (!CharacterClass.IsNonspacingMark(rune))
                kept.Append(rune.ToString());
        }
        return kept.ToString();
    }

    private static void SplitPunctuation(string text, List<string> words)
    {
        var (start, position) = (0, 0);
        foreach (var rune in text.EnumerateRunes())
        {
            var next = position + rune.Utf16SequenceLength;
            if (CharacterClass.IsPunctuation(rune))
            {
                if (start < position)
                    words.AddRange(PythonText.Split(text[start..position]));
                words.Add(text[position..next]);
                start = next;
            }
            position = next;
        }
        if (start < position)
            words.AddRange(PythonText.Split(text[start..]));
    }
}
