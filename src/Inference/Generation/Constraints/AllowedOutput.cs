using System.Text.Json;
using System.Text.Json.Serialization;

namespace Seq2Seq.Inference.Generation.Constraints;

/// <summary>One of the outputs that may come: a text, or its token ids without the decoder start token; in JSON a string or an array.</summary>
[JsonConverter(typeof(AllowedOutputConverter))]
public sealed record AllowedOutput
{
    public string? Text { get; init; }

    /// <summary>The end token at their end may be left out.</summary>
    public IReadOnlyList<int>? TokenIds { get; init; }
}

internal sealed class AllowedOutputConverter : JsonConverter<AllowedOutput>
{
    public override AllowedOutput Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.StartArray)
        {
            return new AllowedOutput { TokenIds = JsonSerializer.Deserialize<int[]>(ref reader, options) };
        }

        if (reader.TokenType != JsonTokenType.String)
        {
            throw new JsonException("expected a text or an array of token ids");
        }

        try
        {
            return new AllowedOutput { Text = reader.GetString() };
        }
        catch (InvalidOperationException exception)
        {
            throw new JsonException("a text is not valid Unicode", exception);
        }
    }

    public override void Write(Utf8JsonWriter writer, AllowedOutput value, JsonSerializerOptions options)
    {
        if (value.TokenIds is { } ids)
        {
            JsonSerializer.Serialize(writer, ids, options);
        }
        else
        {
            writer.WriteStringValue(value.Text);
        }
    }
}
