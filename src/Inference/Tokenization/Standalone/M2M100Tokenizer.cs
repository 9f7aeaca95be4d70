using System.Text;
using Seq2Seq.Inference.Tokenization.Layouts;
using Seq2Seq.Inference.Tokenization.Models;
using Seq2Seq.Inference.Tokenization.SentencePiece;
using Seq2Seq.Inference.Tokenization.Unicode;

namespace Seq2Seq.Inference.Tokenization.Standalone;

/// <summary>
/// M2M100 (<c>M2M100Tokenizer</c>): language, text, end. The languages' tokens (<c>__fr__</c>) stand behind the
/// vocabulary in the order of fairseq's list.
/// </summary>
internal sealed class M2M100Tokenizer : StandaloneTokenizer
{
    private static readonly string[] M2M100Codes = (
        "af am ar ast az ba be bg bn br bs ca ceb cs cy da de el en es et fa ff fi fr fy ga gd gl gu ha he hi hr ht "
        + "hu hy id ig ilo is it ja jv ka kk km kn ko lb lg ln lo lt lv mg mk ml mn mr ms my ne nl no ns oc or pa pl "
        + "ps pt ro ru sd si sk sl so sq sr ss su sv sw ta th tl tn tr uk ur uz vi wo xh yi yo zh zu"
    ).Split(' ');

    private static readonly string[] Wmt21Codes = "en ha is ja cs ru zh de".Split(' ');

    private readonly Vocabulary _vocabulary;
    private readonly SentencePieceVocabulary _pieces;
    private readonly Dictionary<string, int> _languages;
    private readonly string _unknown;
    private readonly string _source;
    private readonly string? _target;
    private readonly int _end;

    private M2M100Tokenizer(
        TokenizerSettings settings,
        AddedWords added,
        Vocabulary vocabulary,
        SentencePieceProcessor processor,
        string[] codes,
        (string Unknown, string End) special
    )
        : base(settings, added)
    {
        (_vocabulary, _unknown) = (vocabulary, special.Unknown);
        _languages = codes
            .Select((code, i) => KeyValuePair.Create(code, vocabulary.Count + i))
            .ToDictionary(StringComparer.Ordinal);
        var unknownId =
            vocabulary.IdOf(special.Unknown)
            ?? throw new InvalidDataException($"The vocabulary has no {special.Unknown}.");
        _pieces = new SentencePieceVocabulary(processor, token => vocabulary.IdOf(token) ?? unknownId);
        _end = added.Id(special.End) ?? unknownId;
        _source = settings.String("src_lang") ?? "en";
        _target = settings.String("tgt_lang");
        Languages = ModelLanguages.Of(codes);
    }

    public override ModelLanguages Languages { get; }

    public static Tokenizer Load(TokenizerFolder folder)
    {
        var settings = folder.Settings;
        var special = new SpecialTokens(settings);
        var (unknown, end) = (special.Get("unk_token", "<unk>"), special.Get("eos_token", "</s>"));
        var vocabulary = folder.Guard("vocab.json", () => Vocabulary.Read(folder.Json("vocab.json")!.Value));
        var codes = settings.String("language_codes") == "wmt21" ? Wmt21Codes : M2M100Codes;
        var added = AddedWords.Of(
            settings,
            [
                special.Get("bos_token", "<s>"),
                end,
                unknown,
                special.Get("sep_token", "</s>"),
                special.Get("pad_token", "<pad>"),
            ],
            settings.ExtraSpecialTokens ?? settings.AdditionalSpecialTokens ?? [],
            vocabulary.IdOf,
            vocabulary.Count
        );
        const string File = "sentencepiece.bpe.model";
        var processor = folder.Guard(File, () => new SentencePieceProcessor(folder.SentencePiece(File)));
        return new M2M100Tokenizer(settings, added, vocabulary, processor, codes, (unknown.Content, end.Content));
    }

    public override int? ForcedBosTokenId(string targetLanguage) =>
        _languages.TryGetValue(targetLanguage, out var id) ? id : null;

    protected override SequenceFrame FrameOf(EncodeOptions options)
    {
        var source = options.SourceLanguage ?? _source;
        var language = options.AsTarget ? options.TargetLanguage ?? _target ?? source : source;
        return _languages.TryGetValue(language, out var id)
            ? new SequenceFrame([id], [], [_end])
            : throw EncodeException.NoSuchLanguage(language, Languages.Source);
    }

    protected override void EncodeText(string text, EncodeOptions options, List<int> ids) => _pieces.Encode(text, ids);

    protected override string? TokenOf(int id, DecodeOptions options)
    {
        var index = id - _vocabulary.Count;
        return index >= 0 && index < _languages.Count
            ? $"__{_languages.Keys.ElementAt(index)}__"
            : _vocabulary.TokenOf(id) ?? _unknown;
    }

    protected override string Join(List<string> tokens, DecodeOptions options)
    {
        var (text, pieces) = (new StringBuilder(), new List<string>());
        foreach (var token in tokens)
        {
            if (Added.IsSpecial(token))
            {
                text.Append(_pieces.Processor.Decode(pieces)).Append(token);
                pieces.Clear();
            }
            else
            {
                pieces.Add(token);
            }
        }
        text.Append(_pieces.Processor.Decode(pieces));
        return PythonText.Trim(text.ToString());
    }
}
