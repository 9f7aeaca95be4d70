using System.Text;
using System.Text.Json;
using Seq2Seq.Inference.Tokenization.Patterns;
using Seq2Seq.Inference.Tokenization.PreTokenizers;

namespace Seq2Seq.Inference.Tokenization.Decoders;

/// <summary>Builds the <c>decoder</c> of a tokenizer.json.</summary>
internal static class DecoderReader
{
    public static ITokenDecoder? Read(JsonElement json)
    {
        if (json.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined)
            return null;
        var type = json.GetProperty("type").GetString();
        return type switch
        {
            "Sequence" => new DecoderSequence([
                .. json.GetProperty("decoders").EnumerateArray().Select(part => Read(part)!),
            ]),
            "ByteLevel" => new ByteLevelDecoder(),
            "ByteFallback" => new ByteFallbackDecoder(),
            "Fuse" => new FuseDecoder(),
            "Metaspace" => new MetaspaceDecoder(
                PreTokenizerReader.Replacement(json),
                PreTokenizerReader.Scheme(json) != PrependScheme.Never
            ),
            "WordPiece" => new WordPieceDecoder(Text(json, "prefix"), Flag(json, "cleanup")),
            "BPEDecoder" => new BpeDecoder(Text(json, "suffix")),
            "CTC" => new CtcDecoder(Text(json, "pad_token"), Text(json, "word_delimiter_token"), Flag(json, "cleanup")),
            "Replace" => new ReplaceDecoder(TextPattern.Read(json.GetProperty("pattern")), Text(json, "content")),
            "Strip" => new StripDecoder(
                Rune.GetRuneAt(Text(json, "content"), 0),
                json.GetProperty("start").GetInt32(),
                json.GetProperty("stop").GetInt32()
            ),
            _ => throw new InvalidDataException($"The decoder {type} is not known."),
        };
    }

    private static string Text(JsonElement json, string name) => json.GetProperty(name).GetString()!;

    private static bool Flag(JsonElement json, string name) => json.GetProperty(name).GetBoolean();
}
