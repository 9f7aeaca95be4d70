using System.Text.Json;
using Seq2Seq.Inference.Tokenization.Layouts;
using Seq2Seq.Inference.Tokenization.Models;
using Seq2Seq.Inference.Tokenization.Moses;
using Seq2Seq.Inference.Tokenization.Unicode;

namespace Seq2Seq.Inference.Tokenization.Standalone;

/// <summary>
/// The translators of WMT19 (<c>FSMTTokenizer</c>): Moses' punctuation and words, byte-pair encoding of the words.
/// <c>vocab-src.json</c> has the ids of sources, <c>vocab-tgt.json</c> those of targets; <c>langs</c> names both languages.
/// </summary>
internal sealed class FsmtTokenizer : StandaloneTokenizer
{
    private readonly Vocabulary _source;
    private readonly Vocabulary _target;
    private readonly WordMerges _merges;
    private readonly string _unknown;
    private readonly int _unknownId;
    private readonly bool _lowercase;
    private readonly SequenceFrame _frame;
    private readonly MosesPunctuation _punctuation;
    private readonly MosesTokenizer _words;
    private readonly MosesDetokenizer _text;

    private FsmtTokenizer(
        TokenizerSettings settings,
        AddedWords added,
        (Vocabulary Source, Vocabulary Target) vocabularies,
        (string Source, string Target) languages,
        WordMerges merges,
        (string Unknown, string Separator) special
    )
        : base(settings, added)
    {
        (_source, _target) = vocabularies;
        _merges = merges;
        _unknown = special.Unknown;
        _unknownId =
            _source.IdOf(_unknown) ?? throw new InvalidDataException($"The source vocabulary has no {_unknown}.");
        _lowercase = settings.Boolean("do_lower_case") ?? false;
        _frame = SequenceFrame.EndOfEach(added.Id(special.Separator) ?? _unknownId);
        _punctuation = new MosesPunctuation(languages.Source);
        _words = new MosesTokenizer(languages.Source);
        _text = new MosesDetokenizer(languages.Target);
        Languages = new ModelLanguages { Source = [languages.Source], Target = [languages.Target] };
    }

    /// <summary>The pair that the model was trained for: there is nothing to choose.</summary>
    public override ModelLanguages Languages { get; }

    public static Tokenizer Load(TokenizerFolder folder)
    {
        var settings = folder.Settings;
        var special = new SpecialTokens(settings);
        var (unknown, separator) = (special.Get("unk_token", "<unk>"), special.Get("sep_token", "</s>"));
        var source = ReadVocabulary(folder, "vocab-src.json");
        var target = ReadVocabulary(folder, "vocab-tgt.json");
        // The last line is empty, as in the files that fairseq's converter writes.
        var lines = folder.Text("merges.txt").ReplaceLineEndings("\n").Split('\n');
        var added = AddedWords.Of(
            settings,
            [
                special.Get("bos_token", "<s>"),
                special.Find("eos_token"),
                unknown,
                separator,
                special.Get("pad_token", "<pad>"),
                special.Find("cls_token"),
                special.Find("mask_token"),
            ],
            settings.ExtraSpecialTokens ?? settings.AdditionalSpecialTokens ?? [],
            source.IdOf,
            source.Count
        );
        return new FsmtTokenizer(
            settings,
            added,
            (source, target),
            Pair(settings.Strings("langs") ?? OfConfig(folder.Config)),
            WordMerges.Read(lines.Take(lines.Length - 1)),
            (unknown.Content, separator.Content)
        );
    }

    protected override SequenceFrame FrameOf(EncodeOptions options) => _frame;

    protected override void EncodeText(string text, EncodeOptions options, List<int> ids)
    {
        var normalized = _punctuation.Normalize(_lowercase ? PythonText.ToLower(text) : text);
        foreach (var word in _words.Tokenize(normalized))
        {
            foreach (var piece in _merges.Split(word))
                ids.Add(Added.Id(piece) ?? _source.IdOf(piece) ?? _unknownId);
        }
    }

    protected override string? TokenOf(int id, DecodeOptions options) => _target.TokenOf(id) ?? _unknown;

    protected override string Join(List<string> tokens, DecodeOptions options)
    {
        var text = string.Concat(
            tokens.Select(token =>
                token
                    .Replace(" ", "", StringComparison.Ordinal)
                    .Replace(WordMerges.EndOfWord, " ", StringComparison.Ordinal)
            )
        );
        return _text.Detokenize(PythonText.Split(text));
    }

    private static Vocabulary ReadVocabulary(TokenizerFolder folder, string name) =>
        folder.Guard(name, () => Vocabulary.Read(folder.Json(name) ?? throw folder.Missing(name)));

    private static (string Source, string Target) Pair(IReadOnlyList<string>? languages) =>
        languages is [var source, var target]
            ? (source, target)
            : throw new InvalidDataException("langs must name two languages, source and target.");

    private static string[]? OfConfig(JsonElement? config) =>
        config is { ValueKind: JsonValueKind.Object }
        && config.Value.TryGetProperty("langs", out var languages)
        && languages.ValueKind == JsonValueKind.Array
            ? [.. languages.EnumerateArray().Select(language => language.GetString() ?? "")]
            : null;
}
