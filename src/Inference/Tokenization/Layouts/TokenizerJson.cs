using System.Text.Json;
using Seq2Seq.Inference.Tokenization.AddedTokens;
using Seq2Seq.Inference.Tokenization.Decoders;
using Seq2Seq.Inference.Tokenization.Models;
using Seq2Seq.Inference.Tokenization.Normalizers;
using Seq2Seq.Inference.Tokenization.PostProcessors;
using Seq2Seq.Inference.Tokenization.PreTokenizers;
using Seq2Seq.Inference.Tokenization.SentencePiece;

namespace Seq2Seq.Inference.Tokenization.Layouts;

/// <summary>A tokenizer.json: the whole of it as the tokenizers library reads it, or the parts that transformers takes.</summary>
internal sealed class TokenizerJson
{
    private readonly JsonElement _json;

    public TokenizerJson(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object)
            throw new InvalidDataException($"It is {json.ValueKind}; it must be an object.");
        if (json.TryGetProperty("version", out var version) && version.GetString() != "1.0")
            throw new InvalidDataException($"Its version is {version}; 1.0 can be read.");
        _json = json;
        AddedTokens =
            Part("added_tokens").ValueKind == JsonValueKind.Array
                ? [.. Part("added_tokens").EnumerateArray().Select(ReadAddedToken)]
                : [];
    }

    public JsonElement Model => _json.GetProperty("model");

    public bool HasPostProcessor => Part("post_processor").ValueKind == JsonValueKind.Object;

    /// <summary>The added tokens with the ids that stand in the file.</summary>
    public IReadOnlyList<(int Id, AddedToken Token)> AddedTokens { get; }

    /// <summary>Everything as the file has it.</summary>
    public TokenizerPipeline ReadPipeline()
    {
        var pipeline = new TokenizerPipeline(
            ModelReader.Read(Model),
            NormalizerReader.Read(Part("normalizer")),
            PreTokenizerReader.Read(Part("pre_tokenizer")),
            DecoderReader.Read(Part("decoder"))
        );
        foreach (var (_, token) in AddedTokens)
            pipeline.Added.Add(token);
        return pipeline;
    }

    public IPostProcessor? ReadPostProcessor() => PostProcessorReader.Read(Part("post_processor"));

    /// <summary>The charsmap of the first Precompiled normalizer, which is all that most classes take of the normalizers.</summary>
    public CharsMap? ReadCharsMap()
    {
        var normalizer = Part("normalizer");
        if (normalizer.ValueKind != JsonValueKind.Object)
            return null;
        var all =
            normalizer.GetProperty("type").GetString() == "Sequence"
                ? normalizer.GetProperty("normalizers").EnumerateArray().ToArray()
                : [normalizer];
        foreach (var part in all)
        {
            if (part.TryGetProperty("precompiled_charsmap", out var charsMap))
                return CharsMap.Read(charsMap.GetBytesFromBase64());
        }
        return null;
    }

    public bool TruncatesLeft => Text(Part("truncation"), "direction") == "Left";

    public FileTruncation? ReadTruncation()
    {
        var truncation = Part("truncation");
        if (truncation.ValueKind != JsonValueKind.Object)
            return null;
        var strategy = Text(truncation, "strategy") switch
        {
            "OnlyFirst" => TruncationStrategy.OnlyFirst,
            "OnlySecond" => TruncationStrategy.OnlySecond,
            null or "LongestFirst" => TruncationStrategy.LongestFirst,
            var other => throw new InvalidDataException($"The truncation {other} is not known."),
        };
        var maxLength = truncation.GetProperty("max_length").GetInt32();
        return maxLength >= 0
            ? new FileTruncation(strategy, maxLength)
            : throw new InvalidDataException($"max_length is {maxLength}.");
    }

    public FilePadding? ReadPadding()
    {
        var padding = Part("padding");
        if (padding.ValueKind != JsonValueKind.Object)
            return null;
        var strategy = padding.GetProperty("strategy");
        var isFixed = strategy.ValueKind == JsonValueKind.Object;
        var multiple = padding.TryGetProperty("pad_to_multiple_of", out var value) ? value : default;
        return new FilePadding(
            padding.GetProperty("pad_id").GetInt32(),
            isFixed ? strategy.GetProperty("Fixed").GetInt32() : null,
            multiple.ValueKind == JsonValueKind.Number ? multiple.GetInt32() : 0,
            Text(padding, "direction") == "Left"
        );
    }

    private static (int Id, AddedToken Token) ReadAddedToken(JsonElement token) =>
        (token.GetProperty("id").GetInt32(), TokenizerSettings.ReadToken(token, special: false));

    private JsonElement Part(string name) => _json.TryGetProperty(name, out var part) ? part : default;

    private static string? Text(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) ? value.GetString() : null;
}
