using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Seq2Seq.Inference.Generation;

/// <summary>One token id or several; in JSON a number or an array of numbers. Compared by value.</summary>
[JsonConverter(typeof(TokenIdsConverter))]
[CollectionBuilder(typeof(TokenIds), nameof(Create))]
public sealed class TokenIds : IReadOnlyList<int>, IEquatable<TokenIds>
{
    private readonly int[] _ids;

    private TokenIds(int[] ids) => _ids = ids;

    public int Count => _ids.Length;

    public int this[int index] => _ids[index];

    public static TokenIds Create(ReadOnlySpan<int> ids) => new(ids.ToArray());

    public bool Contains(int id) => Array.IndexOf(_ids, id) >= 0;

    public bool Equals(TokenIds? other) => other is not null && _ids.AsSpan().SequenceEqual(other._ids);

    public override bool Equals(object? obj) => Equals(obj as TokenIds);

    public override int GetHashCode()
    {
        HashCode hash = default;
        foreach (int id in _ids)
        {
            hash.Add(id);
        }

        return hash.ToHashCode();
    }

    public IEnumerator<int> GetEnumerator() => ((IEnumerable<int>)_ids).GetEnumerator();

    System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => _ids.GetEnumerator();
}

internal sealed class TokenIdsConverter : JsonConverter<TokenIds>
{
    public override TokenIds Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.Number)
        {
            return [reader.GetInt32()];
        }

        if (reader.TokenType != JsonTokenType.StartArray)
        {
            throw new JsonException("expected a token id or an array of token ids");
        }

        List<int> ids = [];
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            ids.Add(reader.GetInt32());
        }

        return [.. ids];
    }

    public override void Write(Utf8JsonWriter writer, TokenIds value, JsonSerializerOptions options)
    {
        if (value.Count == 1)
        {
            writer.WriteNumberValue(value[0]);
            return;
        }

        writer.WriteStartArray();
        foreach (int id in value)
        {
            writer.WriteNumberValue(id);
        }

        writer.WriteEndArray();
    }
}
