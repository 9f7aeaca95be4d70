using System.Text;
using System.Text.Json;
using Seq2Seq.Inference.Tokenization.Patterns;
using Seq2Seq.Inference.Tokenization.SentencePiece;

namespace Seq2Seq.Inference.Tokenization.Normalizers;

/// <summary>Builds the <c>normalizer</c> of a tokenizer.json.</summary>
internal static class NormalizerReader
{
    public static INormalizer? Read(JsonElement json)
    {
        if (json.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined)
            return null;
        var type = json.GetProperty("type").GetString();
        return type switch
        {
            "Sequence" => new NormalizerSequence([
                .. json.GetProperty("normalizers").EnumerateArray().Select(part => Read(part)!),
            ]),
            "BertNormalizer" or "Bert" => ReadBert(json),
            "Strip" => new StripNormalizer(Flag(json, "strip_left", true), Flag(json, "strip_right", true)),
            "StripAccents" => new StripAccentsNormalizer(),
            "NFC" => new UnicodeNormalizer(NormalizationForm.FormC),
            "NFD" => new UnicodeNormalizer(NormalizationForm.FormD),
            "NFKC" => new UnicodeNormalizer(NormalizationForm.FormKC),
            "NFKD" => new UnicodeNormalizer(NormalizationForm.FormKD),
            "Lowercase" => new LowercaseNormalizer(),
            "Nmt" => new NmtNormalizer(),
            "Precompiled" => new PrecompiledNormalizer(
                CharsMap.Read(json.GetProperty("precompiled_charsmap").GetBytesFromBase64())
            ),
            "Replace" => new ReplaceNormalizer(
                TextPattern.Read(json.GetProperty("pattern")),
                json.GetProperty("content").GetString()!
            ),
            "Prepend" => new PrependNormalizer(json.GetProperty("prepend").GetString()!),
            "ByteLevel" => new ByteLevelNormalizer(),
            _ => throw new InvalidDataException($"The normalizer {type} is not known."),
        };
    }

    private static BertNormalizer ReadBert(JsonElement json)
    {
        var lowercase = Flag(json, "lowercase", true);
        return new BertNormalizer(
            Flag(json, "clean_text", true),
            Flag(json, "handle_chinese_chars", true),
            Flag(json, "strip_accents", lowercase),
            lowercase
        );
    }

    private static bool Flag(JsonElement json, string name, bool fallback) =>
        json.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.True or JsonValueKind.False
            ? value.GetBoolean()
            : fallback;
}
