using System.Text;
using Seq2Seq.Inference.Tokenization.Layouts;
using Seq2Seq.Inference.Tokenization.Models;
using Seq2Seq.Inference.Tokenization.SentencePiece;
using Seq2Seq.Inference.Tokenization.Unicode;

namespace Seq2Seq.Inference.Tokenization.Standalone;

/// <summary>
/// Marian, the OPUS-MT models (<c>MarianTokenizer</c>): <c>source.spm</c> and <c>target.spm</c> cut, <c>vocab.json</c>
/// has the ids, with <c>separate_vocabs</c> <c>target_vocab.json</c> those of the targets. A code in front
/// (<c>&gt;&gt;fra&lt;&lt;</c>) names the target language of multilingual models.
/// </summary>
internal sealed class MarianTokenizer : StandaloneTokenizer
{
    private const string Open = ">>";
    private const string Close = "<<";

    private readonly bool _separate;
    private readonly Vocabulary _encoder;
    private readonly Vocabulary _decoder;
    private readonly SentencePieceVocabulary _source;
    private readonly SentencePieceVocabulary _target;
    private readonly string _unknown;
    private readonly SequenceFrame _frame;
    private readonly Dictionary<string, SequenceFrame> _languageFrames;

    private MarianTokenizer(
        TokenizerSettings settings,
        AddedWords added,
        Vocabulary encoder,
        Vocabulary? targetEncoder,
        SentencePieceProcessor source,
        SentencePieceProcessor target,
        (string Unknown, string End) special
    )
        : base(settings, added)
    {
        (_encoder, _decoder, _unknown) = (encoder, targetEncoder ?? encoder, special.Unknown);
        _separate = targetEncoder is not null;
        _source = new SentencePieceVocabulary(source, IdIn(encoder));
        _target = new SentencePieceVocabulary(target, IdIn(_decoder));
        Languages = new ModelLanguages
        {
            Target = _separate ? [] : [.. encoder.Ids.Keys.Where(IsCode).Select(code => code[2..^2])],
        };
        var end = added.Id(special.End) ?? IdIn(encoder)(special.End);
        _frame = new SequenceFrame([], [], [end]);
        _languageFrames = Languages.Target.ToDictionary(
            code => code,
            code => new SequenceFrame([encoder.IdOf(Open + code + Close)!.Value], [], [end]),
            StringComparer.Ordinal
        );
    }

    /// <summary>The codes of a multilingual model without their brackets.</summary>
    public override ModelLanguages Languages { get; }

    public static Tokenizer Load(TokenizerFolder folder)
    {
        var settings = folder.Settings;
        var special = new SpecialTokens(settings);
        var (unknown, end) = (special.Get("unk_token", "<unk>"), special.Get("eos_token", "</s>"));
        var encoder = folder.Guard("vocab.json", () => Vocabulary.Read(folder.Json("vocab.json")!.Value));
        var separate = settings.Boolean("separate_vocabs") ?? false;
        var targetEncoder = separate
            ? folder.Guard(
                "target_vocab.json",
                () => Vocabulary.Read(folder.Json("target_vocab.json") ?? throw folder.Missing("target_vocab.json"))
            )
            : null;
        foreach (var vocabulary in new[] { encoder, targetEncoder }.OfType<Vocabulary>())
        {
            if (vocabulary.IdOf(unknown.Content) is null)
                throw new InvalidDataException($"The vocabulary has no {unknown.Content}.");
        }
        var added = AddedWords.Of(
            settings,
            [special.Find("bos_token"), end, unknown, special.Find("sep_token"), special.Get("pad_token", "<pad>")],
            settings.ExtraSpecialTokens ?? settings.AdditionalSpecialTokens ?? [],
            encoder.IdOf,
            encoder.Count
        );
        return new MarianTokenizer(
            settings,
            added,
            encoder,
            targetEncoder,
            folder.Guard("source.spm", () => new SentencePieceProcessor(folder.SentencePiece("source.spm"))),
            folder.Guard("target.spm", () => new SentencePieceProcessor(folder.SentencePiece("target.spm"))),
            (unknown.Content, end.Content)
        );
    }

    internal override ReadOnlySpan<char> LanguageCodeOf(string text)
    {
        var close = text.StartsWith(Open, StringComparison.Ordinal)
            ? text.IndexOf(Close, StringComparison.Ordinal)
            : -1;
        return close < 0 ? [] : text.AsSpan(0, close + Close.Length);
    }

    // transformers has no such option here: whoever uses it writes the code in front of the text.
    protected override SequenceFrame FrameOf(EncodeOptions options)
    {
        if (options.AsTarget || options.TargetLanguage is not { } language)
            return _frame;
        return _languageFrames.TryGetValue(language, out var frame)
            ? frame
            : throw EncodeException.NoSuchLanguage(language, Languages.Target);
    }

    protected override void EncodeText(string text, EncodeOptions options, List<int> ids)
    {
        var code = LanguageCodeOf(text);
        if (!code.IsEmpty)
            ids.Add(IdIn(options.AsTarget ? _decoder : _encoder)(code.ToString()));
        (options.AsTarget ? _target : _source).Encode(text.AsSpan(code.Length), ids);
    }

    protected override string? TokenOf(int id, DecodeOptions options) =>
        _decoder.TokenOf(id) ?? (UsesSource(options) ? _source : _target).PieceOf(id);

    protected override string Join(List<string> tokens, DecodeOptions options)
    {
        var processor = (UsesSource(options) ? _source : _target).Processor;
        var (text, pieces) = (new StringBuilder(), new List<string>());
        foreach (var token in tokens)
        {
            if (Added.IsSpecial(token))
            {
                text.Append(processor.Decode(pieces)).Append(token).Append(' ');
                pieces.Clear();
            }
            else
            {
                pieces.Add(token);
            }
        }
        text.Append(processor.Decode(pieces)).Replace('\u2581', ' ');
        return PythonText.Trim(text.ToString());
    }

    private static bool IsCode(string token) =>
        token.StartsWith(Open, StringComparison.Ordinal)
        && token.EndsWith(Close, StringComparison.Ordinal)
        && token.Length > Open.Length + Close.Length;

    private bool UsesSource(DecodeOptions options) => options.UseSourceTokenizer ?? !_separate;

    private Func<string, int> IdIn(Vocabulary vocabulary)
    {
        var unknown = vocabulary.IdOf(_unknown)!.Value;
        return token => vocabulary.IdOf(token) ?? unknown;
    }
}
