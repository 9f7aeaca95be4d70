using System.Text.Encodings.Web;
using System.Text.Json;

namespace Seq2Seq.Jobs.Sharding;

/// <summary>What the stored JSON Lines of shards and results have in common.</summary>
internal static class StoredLines
{
    /// <summary>Text outside ASCII stands as it is: shorter, and readable in psql.</summary>
    public static JsonWriterOptions WriterOptions { get; } =
        new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary>The lines of a stored value, each without its line end.</summary>
    public static IEnumerable<ReadOnlyMemory<byte>> Split(ReadOnlyMemory<byte> stored)
    {
        while (!stored.IsEmpty)
        {
            int end = stored.Span.IndexOf((byte)'\n');
            if (end < 0)
            {
                throw new InvalidDataException("A stored shard does not end in a line end.");
            }

            yield return stored[..end];
            stored = stored[(end + 1)..];
        }
    }

    public static string? ReadString(ref Utf8JsonReader reader)
    {
        reader.Read();
        return reader.GetString();
    }

    public static List<int> ReadIntegers(ref Utf8JsonReader reader)
    {
        List<int> values = [];
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.Number)
        {
            values.Add(reader.GetInt32());
        }

        return values;
    }

    public static List<float> ReadNumbers(ref Utf8JsonReader reader)
    {
        List<float> values = [];
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.Number)
        {
            values.Add(reader.GetSingle());
        }

        return values;
    }
}
