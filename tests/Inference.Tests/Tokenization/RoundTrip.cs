using System.Globalization;
using System.Text;
using System.Text.Json;
using Seq2Seq.Inference.Tests.Fuzzing;
using Seq2Seq.Inference.Tokenization;
using Seq2Seq.Inference.Tokenization.Decoders;
using Seq2Seq.Inference.Tokenization.Layouts;
using Seq2Seq.Inference.Tokenization.Models;
using Seq2Seq.Inference.Tokenization.Normalizers;
using Seq2Seq.Inference.Tokenization.SentencePiece;
using Seq2Seq.Inference.Tokenization.Standalone;
using Seq2Seq.Inference.Tokenization.Unicode;

namespace Seq2Seq.Inference.Tests.Tokenization;

/// <summary>How much of a text comes back from its ids.</summary>
public enum Fidelity
{
    /// <summary>Nothing: ids are written in one vocabulary and read in another, or the file itself cuts texts.</summary>
    None,

    /// <summary>
    /// Not the text, for some part can't be undone; but what comes back once comes back again, every character that is no white
    /// space.
    /// </summary>
    Stable,

    /// <summary>Every character that is no white space, as the normalizer leaves it.</summary>
    ButForWhiteSpace,

    /// <summary>Every character as the normalizer leaves it, but white space of any length is one space, none at the ends.</summary>
    ButForRunsOfWhiteSpace,

    /// <summary>Every character as it came, but for one space in front that some put there.</summary>
    Exact,
}

/// <summary>
/// What of a text must come back after encoding and decoding, by the parts that its tokenizer is made of: where every part can be
/// undone, the text as the normalizer leaves it, as long as the vocabulary knows all of it; of every tokenizer, what comes back
/// is a text that comes back. Special tokens that stand in the text are characters here.
/// </summary>
internal sealed class RoundTrip
{
    // In no vocabulary of the tests, and changed by no normalizer.
    private const string Unknown = "\U0002A6D6";

    // Ids of the small vocabularies; those that are none give no text.
    private const int Ids = 600;

    private readonly string _folder;
    private readonly Tokenizer _tokenizer;
    private readonly EncodeOptions _encode;
    private readonly DecodeOptions _decode = new() { CleanUpTokenizationSpaces = false };
    private readonly Fidelity _fidelity;
    private readonly Func<string, string> _normalize;
    private readonly string _spaces;
    private readonly HashSet<int> _unknown;
    private readonly (string[] Real, string[] Special) _texts;

    private RoundTrip(
        string folder,
        Tokenizer tokenizer,
        Fidelity fidelity,
        Func<string, string> normalize,
        string spaces
    )
    {
        (_folder, _tokenizer, _normalize, _spaces) = (folder, tokenizer, normalize, spaces);
        _texts = EncodeTarget.TextsOf(ReferenceFolders.PathOf(folder));
        _encode = new EncodeOptions
        {
            AddSpecialTokens = tokenizer is not SentencePieceTokenizer { FramesPlainText: false },
            SplitSpecialTokens = true,
            // Marian reads ids in the vocabulary of its targets.
            AsTarget = tokenizer is MarianTokenizer,
        };
        _unknown = UnknownIds();
        // What is unknown may have no token, and falls away unseen.
        bool isDropped =
            _unknown.Count == 0
            && Encode(Unknown) is { } ids
            && !Decode(ids).Contains(Unknown, StringComparison.Ordinal);
        _fidelity = isDropped && fidelity > Fidelity.Stable ? Fidelity.Stable : fidelity;
    }

    public Fidelity Fidelity => _fidelity;

    public static RoundTrip Of(string folder)
    {
        string path = ReferenceFolders.PathOf(folder);
        TokenizerFolder files = TokenizerFolder.Open(path).Files;
        Tokenizer tokenizer = Tokenizer.Load(path);
        JsonElement? json = files.TokenizerJson is null ? null : files.Json("tokenizer.json");
        return tokenizer switch
        {
            ByT5Tokenizer => new RoundTrip(folder, tokenizer, Fidelity.Exact, text => text, ""),
            PipelineTokenizer { Pipeline: var pipeline } when FidelityOf(pipeline, json) is var fidelity =>
                new RoundTrip(
                    folder,
                    tokenizer,
                    fidelity,
                    text => Normalize(pipeline.Normalizer, text),
                    fidelity == Fidelity.Exact ? "" : Replacement(json)
                ),
            SentencePieceTokenizer { Model: var model } => new RoundTrip(
                folder,
                tokenizer,
                FidelityOf(model),
                text => IsIdentity(model) ? text : Normalize(model, text),
                "\u2581"
            ),
            MarianTokenizer => OfPieces("target.spm", Fidelity.ButForRunsOfWhiteSpace),
            M2M100Tokenizer => OfPieces("sentencepiece.bpe.model", Fidelity.ButForRunsOfWhiteSpace),
            // A space that is a token of its own is lost there, in transformers too.
            PlBartTokenizer => OfPieces("sentencepiece.bpe.model", Fidelity.ButForWhiteSpace),
            FsmtTokenizer => new RoundTrip(folder, tokenizer, Fidelity.None, text => text, ""),
            // BERT's own rules and Blenderbot's: what they take out or write otherwise is in no one part.
            _ => new RoundTrip(folder, tokenizer, Fidelity.Stable, text => text, ""),
        };

        RoundTrip OfPieces(string file, Fidelity fidelity)
        {
            SentencePieceModel model = files.SentencePiece(file);
            return new RoundTrip(folder, tokenizer, fidelity, text => Normalize(model, text), "\u2581");
        }
    }

    /// <summary>A text of tokens that the vocabulary has, or one that nobody would write.</summary>
    public string Next(Random random) =>
        random.Next(4) == 0
            ? FuzzText.Next(_texts.Real, _texts.Special, random)
            : Decode([.. Enumerable.Range(0, random.Next(1, 12)).Select(_ => random.Next(Ids))]);

    /// <returns>Whether the vocabulary knows all of the text, so that it had to come back.</returns>
    public bool Check(string text)
    {
        if (Encode(text) is not { } ids)
        {
            return false;
        }

        if (_fidelity == Fidelity.None || !IsKnown(ids) || SpellsBytes(text, ids))
        {
            return false;
        }

        string back = Decode(ids);
        string expected = Reduce(_fidelity == Fidelity.Stable ? back : _normalize(TextCleaning.WellFormed(text)));
        string found = Reduce(_fidelity == Fidelity.Stable ? Again(back) : back);
        if (!(found == expected || (_fidelity == Fidelity.Exact && found == " " + expected)))
        {
            Assert.Fail(
                $"{_folder}, {_fidelity}: {Show(text)} is {string.Join(' ', ids)}, which is {Show(back)}; expected {Show(expected)}, found {Show(found)}."
            );
        }

        return true;
    }

    /// <summary>What comes back of a text, or where it is not known the text.</summary>
    private string Again(string text) => Encode(text) is { } ids && IsKnown(ids) ? Decode(ids) : text;

    private static Fidelity FidelityOf(TokenizerPipeline pipeline, JsonElement? json)
    {
        if (pipeline.Decoder is ByteLevelDecoder && pipeline.Normalizer is null)
        {
            return Letters().All(letter => pipeline.Model.IdOf(letter) is not null) ? Fidelity.Exact : Fidelity.Stable;
        }

        if (json is { } file && Part(file, "truncation").ValueKind == JsonValueKind.Object)
        {
            return Fidelity.None;
        }

        if (json is { } cut && Removes(cut))
        {
            return Fidelity.Stable;
        }

        return pipeline.Decoder switch
        {
            // Classes that cut at white space and mark no word's beginning lose every space, in transformers too.
            MetaspaceDecoder { Prepended: false } when json is null => Fidelity.ButForWhiteSpace,
            MetaspaceDecoder or ReplaceDecoder => Fidelity.ButForRunsOfWhiteSpace,
            DecoderSequence => IsUndoing(json) ? Fidelity.ButForRunsOfWhiteSpace : Fidelity.Stable,
            WordPieceDecoder or BpeDecoder => Fidelity.ButForWhiteSpace,
            null when json is { } bare && !MarksWords(bare) => Fidelity.ButForWhiteSpace,
            _ => Fidelity.Stable,
        };
    }

    /// <summary>The letters that stand for bytes.</summary>
    private static IEnumerable<string> Letters() =>
        Enumerable
            .Range(0, 0x200)
            .Select(value => ((char)value).ToString())
            .Where(letter => ByteAlphabet.TryDecode(letter, []));

    /// <summary>Whether what a text is cut at falls away.</summary>
    private static bool Removes(JsonElement json)
    {
        string rule = Part(json, "pre_tokenizer").ToString();
        return rule.Contains("\"Removed\"", StringComparison.Ordinal)
            || rule.Contains("CharDelimiterSplit", StringComparison.Ordinal);
    }

    /// <summary>Whether tokens inside or at the end of words have a mark, which no decoder takes away.</summary>
    private static bool MarksWords(JsonElement json) =>
        Part(json, "model") is var model
        && (
            model.GetProperty("type").GetString() == "WordPiece"
            || Marks(model, "continuing_subword_prefix")
            || Marks(model, "end_of_word_suffix")
        );

    private static bool Marks(JsonElement model, string name) =>
        Part(model, name) is { ValueKind: JsonValueKind.String } mark && mark.GetString() != "";

    /// <summary>Whether a file's decoders turn the sign for a space into one, bytes into characters, and do nothing else.</summary>
    private static bool IsUndoing(JsonElement? json) =>
        json is not { } file
        || Part(file, "decoder")
            .GetProperty("decoders")
            .EnumerateArray()
            .Select((decoder, i) => (decoder, i))
            .All(rule =>
                rule.decoder.GetProperty("type").GetString() switch
                {
                    "ByteFallback" or "Fuse" or "Metaspace" => true,
                    // Before tokens are fused each loses its own.
                    "Strip" => IsAfterFuse(file, rule.i) && rule.decoder.GetProperty("content").GetString() == " ",
                    "Replace" => rule.decoder.GetProperty("content").GetString() == " "
                        && Part(rule.decoder.GetProperty("pattern"), "String")
                            is { ValueKind: JsonValueKind.String } sign
                        && sign.GetString() == "\u2581",
                    _ => false,
                }
            );

    private static bool IsAfterFuse(JsonElement file, int place) =>
        Part(file, "decoder")
            .GetProperty("decoders")
            .EnumerateArray()
            .Take(place)
            .Any(decoder => decoder.GetProperty("type").GetString() == "Fuse");

    /// <summary>The sign that a tokenizer.json has for a space.</summary>
    private static string Replacement(JsonElement? json) =>
        json is { } file
        && Part(file, "decoder") is { ValueKind: JsonValueKind.Object } decoder
        && Part(decoder, "replacement") is { ValueKind: JsonValueKind.String } replacement
            ? replacement.GetString()!
            : "\u2581";

    // A first token that ends in its space loses it, in transformers too.
    private static Fidelity FidelityOf(SentencePieceModel model) =>
        model.TreatWhitespaceAsSuffix ? Fidelity.ButForWhiteSpace
        : IsIdentity(model) ? Fidelity.Exact
        : Fidelity.ButForRunsOfWhiteSpace;

    /// <summary>Whether a sentencepiece model leaves everything as it is, spaces included.</summary>
    private static bool IsIdentity(SentencePieceModel model) =>
        model.Normalizer is { CharsMap.Length: 0, RemoveExtraWhitespaces: false };

    private static string Normalize(INormalizer? normalizer, string text)
    {
        NormalizedText normalized = new(text, atOrigin: 1);
        normalizer?.Normalize(normalized);
        return normalized.Text;
    }

    private static string Normalize(SentencePieceModel model, string text)
    {
        SentencePieceNormalizer normalizer = new(
            model.Normalizer,
            model.TreatWhitespaceAsSuffix,
            [.. model.Pieces.Where(piece => piece.Type == PieceType.UserDefined).Select(piece => piece.Text)]
        );
        PooledList<byte> normalized = new(3 * text.Length + 16);
        try
        {
            normalizer.Normalize(Encoding.UTF8.GetBytes(text), ref normalized);
            return Encoding.UTF8.GetString(normalized.Span);
        }
        finally
        {
            normalized.Dispose();
        }
    }

    private static JsonElement Part(JsonElement json, string name) =>
        json.TryGetProperty(name, out JsonElement part) ? part : default;

    private static string Show(string text) =>
        string.Concat(
            text.Select(letter =>
                letter is >= ' ' and <= '~'
                    ? letter.ToString()
                    : string.Create(CultureInfo.InvariantCulture, $"\\u{(int)letter:X4}")
            )
        );

    /// <summary>What is left of a text to compare.</summary>
    private string Reduce(string text)
    {
        string spaced = string.Concat(text.Select(letter => _spaces.Contains(letter) ? ' ' : letter));
        return _fidelity switch
        {
            Fidelity.Exact => spaced,
            Fidelity.ButForRunsOfWhiteSpace => string.Join(' ', Words(spaced)),
            _ => string.Concat(Words(spaced)),
        };
    }

    private static string[] Words(string text) => text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);

    private bool IsKnown(IReadOnlyList<int> ids) =>
        !ids.Any(id =>
            _unknown.Contains(id)
            // Tokens that somebody added stand as they are, whatever the normalizer makes of the text around them.
            || (
                _tokenizer is PipelineTokenizer { Pipeline.Added: var added }
                && added.Tokens.TryGetValue(id, out var token)
                && !token.Special
            )
        );

    /// <summary>Where a text spells the token of a byte, <c>&lt;0x41&gt;</c>, the tokenizers library takes that token, and reads it as the byte.</summary>
    private bool SpellsBytes(string text, IReadOnlyList<int> ids) =>
        _fidelity < Fidelity.Exact
        && text.Contains("<0x", StringComparison.Ordinal)
        && ids.Any(id => _tokenizer.BytesOf(id) is not null);

    private HashSet<int> UnknownIds() =>
        [
            .. (Encode(Unknown) ?? [])
                .Except(Encode("") ?? [])
                .Where(id =>
                    _tokenizer.BytesOf(id) is null
                    && !string.IsNullOrWhiteSpace(_tokenizer.Decode([id], _decode with { SkipSpecialTokens = false }))
                ),
        ];

    /// <returns>Null when the vocabulary has no token for what it does not know.</returns>
    private IReadOnlyList<int>? Encode(string text)
    {
        try
        {
            return _tokenizer.Encode(text, _encode);
        }
        catch (EncodeException exception)
        {
            exception.Code.Should().BeOneOf("unknown_token_missing", "pattern_too_slow");
            return null;
        }
    }

    private string Decode(IReadOnlyList<int> ids) => _tokenizer.Decode(ids, _decode);
}
