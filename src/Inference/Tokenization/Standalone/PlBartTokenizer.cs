using Seq2Seq.Inference.Tokenization.Layouts;
using Seq2Seq.Inference.Tokenization.SentencePiece;

namespace Seq2Seq.Inference.Tokenization.Standalone;

/// <summary>
/// PLBart (<c>PLBartTokenizer</c>): text, end, language. Fairseq's order: four special tokens, the sentencepiece pieces
/// shifted by one, the languages (<c>__java__</c>), and a mask where there are only the base ones.
/// </summary>
internal sealed class PlBartTokenizer : StandaloneTokenizer
{
    private const int Offset = 1;
    private const int UnknownId = 3;

    private static readonly string[] BaseCodes = ["__java__", "__python__", "__en_XX__"];
    private static readonly string[] MultiCodes = [.. BaseCodes, "__javascript__", "__php__", "__ruby__", "__go__"];

    private readonly SentencePieceProcessor _processor;
    private readonly SentencePieceVocabulary _pieces;
    private readonly Dictionary<string, int> _fairseqIds;
    private readonly Dictionary<int, string> _fairseqTokens;
    private readonly Dictionary<string, int> _languages;
    private readonly string? _source;
    private readonly string? _target;
    private readonly int _end;

    private PlBartTokenizer(
        TokenizerSettings settings,
        AddedWords added,
        SentencePieceProcessor processor,
        bool isBase,
        string end
    )
        : base(settings, added, cleansUp: true)
    {
        _processor = processor;
        var size = processor.Model.Pieces.Count;
        _languages = (isBase ? BaseCodes : MultiCodes)
            .Select((code, i) => KeyValuePair.Create(code, size + i + Offset))
            .ToDictionary(StringComparer.Ordinal);
        _fairseqIds = new Dictionary<string, int>(_languages, StringComparer.Ordinal)
        {
            ["<s>"] = 0,
            ["<pad>"] = 1,
            ["</s>"] = 2,
            ["<unk>"] = UnknownId,
        };
        if (isBase)
            _fairseqIds["<mask>"] = size + _languages.Count + Offset;
        _fairseqTokens = _fairseqIds.ToDictionary(token => token.Value, token => token.Key);
        _pieces = new SentencePieceVocabulary(processor, IdOf);
        added.SetSpecialIds(token => added.Id(token) ?? IdOf(token));
        _end = added.Id(end) ?? IdOf(end);
        _source = Code(settings.String("src_lang")) ?? (isBase ? null : "__en_XX__");
        _target = Code(settings.String("tgt_lang"));
        Languages = ModelLanguages.Of([.. _languages.Keys]);
    }

    public override ModelLanguages Languages { get; }

    /// <summary>The reference takes no notice of the option here.</summary>
    protected override bool HeedsCleanUpOption => false;

    public static Tokenizer Load(TokenizerFolder folder)
    {
        var settings = folder.Settings;
        var special = new SpecialTokens(settings);
        const string File = "sentencepiece.bpe.model";
        var processor = folder.Guard(File, () => new SentencePieceProcessor(folder.SentencePiece(File)));
        var isBase = settings.String("language_codes") is null or "base";
        var codes = isBase ? BaseCodes : MultiCodes;
        var end = special.Get("eos_token", "</s>");
        var further = codes.Select(SpecialTokens.Plain).Concat(settings.AdditionalSpecialTokens ?? []);
        var added = AddedWords.Of(
            settings,
            [
                special.Get("bos_token", "<s>"),
                end,
                special.Get("unk_token", "<unk>"),
                special.Get("sep_token", "</s>"),
                special.Get("pad_token", "<pad>"),
                special.Get("cls_token", "<s>"),
                special.Get("mask_token", "<mask>"),
            ],
            settings.ExtraSpecialTokens ?? further,
            processor.FindPiece,
            processor.Model.Pieces.Count
        );
        // These have ids by fairseq's order, not as added tokens.
        foreach (var reserved in codes.Concat(["<s>", "<pad>", "</s>", "<unk>", "<mask>"]))
            added.Remove(reserved);
        return new PlBartTokenizer(settings, added, processor, isBase, end.Content);
    }

    public override int? ForcedBosTokenId(string targetLanguage) =>
        _languages.TryGetValue(Code(targetLanguage)!, out var id) ? id : null;

    protected override SequenceFrame FrameOf(EncodeOptions options)
    {
        var language = options.AsTarget
            ? Code(options.TargetLanguage) ?? _target
            : Code(options.SourceLanguage) ?? _source;
        if (language is null)
            return new SequenceFrame([], [], [_end]);
        return _languages.TryGetValue(language, out var id)
            ? new SequenceFrame([], [], [_end, id])
            : throw EncodeException.NoSuchLanguage(language, Languages.Source);
    }

    protected override void EncodeText(string text, EncodeOptions options, List<int> ids) => _pieces.Encode(text, ids);

    protected override string? TokenOf(int id, DecodeOptions options) =>
        _fairseqTokens.TryGetValue(id, out var token) ? token : _pieces.PieceOf(id - Offset);

    protected override string Join(List<string> tokens, DecodeOptions options) => SentencePieceVocabulary.Join(tokens);

    /// <summary>Languages may be named without their bars.</summary>
    private static string? Code(string? language) =>
        language is null ? null : MultiCodes.FirstOrDefault(code => code.Trim('_') == language.Trim('_')) ?? language;

    private int IdOf(string token)
    {
        if (_fairseqIds.TryGetValue(token, out var id))
            return id;
        var piece = _processor.PieceToId(token);
        return piece == 0 ? UnknownId : piece + Offset;
    }
}
