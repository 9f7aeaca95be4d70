using System.Text.Json;

namespace Seq2Seq.Inference.Tokenization.Models;

/// <summary>Builds the <c>model</c> of a tokenizer.json.</summary>
internal static class ModelReader
{
    public static ITokenModel Read(JsonElement json)
    {
        var type = TypeOf(json);
        return type switch
        {
            "BPE" => new BpeModel(
                Vocabulary.Read(json.GetProperty("vocab")),
                BpeMerges.Read(json.GetProperty("merges")),
                new BpeOptions
                {
                    UnknownToken = Text(json, "unk_token"),
                    ContinuingPrefix = Text(json, "continuing_subword_prefix"),
                    EndOfWordSuffix = Text(json, "end_of_word_suffix"),
                    FuseUnknown = Flag(json, "fuse_unk"),
                    ByteFallback = Flag(json, "byte_fallback"),
                    IgnoreMerges = Flag(json, "ignore_merges"),
                }
            ),
            "WordPiece" => new WordPieceModel(
                Vocabulary.Read(json.GetProperty("vocab")),
                Text(json, "unk_token") ?? "[UNK]",
                Text(json, "continuing_subword_prefix") ?? "##",
                json.TryGetProperty("max_input_chars_per_word", out var longest) ? longest.GetInt32() : 100
            ),
            "WordLevel" => new WordLevelModel(
                Vocabulary.Read(json.GetProperty("vocab")),
                Text(json, "unk_token") ?? "<unk>"
            ),
            "Unigram" => new UnigramModel(
                ReadScores(json.GetProperty("vocab")),
                json.TryGetProperty("unk_id", out var unknown) && unknown.ValueKind == JsonValueKind.Number
                    ? unknown.GetInt32()
                    : null,
                Flag(json, "byte_fallback")
            ),
            _ => throw new InvalidDataException($"The model {type} is not known."),
        };
    }

    /// <summary>Files of before 2020 do not say; the fields tell.</summary>
    public static string? TypeOf(JsonElement json)
    {
        if (json.TryGetProperty("type", out var type))
            return type.GetString();
        if (json.TryGetProperty("merges", out _))
            return "BPE";
        if (json.GetProperty("vocab").ValueKind == JsonValueKind.Array)
            return "Unigram";
        return json.TryGetProperty("max_input_chars_per_word", out _) ? "WordPiece" : "WordLevel";
    }

    /// <summary><c>[["piece", score], …]</c>.</summary>
    public static List<(string Token, double Score)> ReadScores(JsonElement vocabulary)
    {
        var pieces = new List<(string, double)>(vocabulary.GetArrayLength());
        foreach (var piece in vocabulary.EnumerateArray())
            pieces.Add((piece[0].GetString()!, piece[1].GetDouble()));
        return pieces;
    }

    private static string? Text(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static bool Flag(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.True;
}
