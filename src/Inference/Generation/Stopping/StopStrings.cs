using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Seq2Seq.Inference.Generation.Stopping;

/// <summary>One text or several that end an output; in JSON a string or an array of strings. Compared by value.</summary>
[JsonConverter(typeof(StopStringsConverter))]
[CollectionBuilder(typeof(StopStrings), nameof(Create))]
public sealed class StopStrings : IReadOnlyList<string>, IEquatable<StopStrings>
{
    private readonly string[] _texts;

    private StopStrings(string[] texts) => _texts = texts;

    public int Count => _texts.Length;

    public string this[int index] => _texts[index];

    public static StopStrings Create(ReadOnlySpan<string> texts) => new(texts.ToArray());

    public bool Equals(StopStrings? other) => other is not null && _texts.AsSpan().SequenceEqual(other._texts);

    public override bool Equals(object? obj) => Equals(obj as StopStrings);

    public override int GetHashCode()
    {
        HashCode hash = default;
        foreach (string text in _texts)
        {
            hash.Add(text, StringComparer.Ordinal);
        }

        return hash.ToHashCode();
    }

    public IEnumerator<string> GetEnumerator() => ((IEnumerable<string>)_texts).GetEnumerator();

    System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => _texts.GetEnumerator();
}

internal sealed class StopStringsConverter : JsonConverter<StopStrings>
{
    public override StopStrings Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.String)
        {
            return [ReadText(ref reader)];
        }

        if (reader.TokenType != JsonTokenType.StartArray)
        {
            throw new JsonException("expected a text or an array of texts");
        }

        List<string> texts = [];
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            texts.Add(
                reader.TokenType == JsonTokenType.String
                    ? ReadText(ref reader)
                    : throw new JsonException("expected a text or an array of texts")
            );
        }

        return [.. texts];
    }

    public override void Write(Utf8JsonWriter writer, StopStrings value, JsonSerializerOptions options)
    {
        if (value.Count == 1)
        {
            writer.WriteStringValue(value[0]);
            return;
        }

        writer.WriteStartArray();
        foreach (string text in value)
        {
            writer.WriteStringValue(text);
        }

        writer.WriteEndArray();
    }

    private static string ReadText(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException exception)
        {
            throw new JsonException("a text is not valid Unicode", exception);
        }
    }
}
