using System.Text.Json;
using System.Text.Json.Serialization;

namespace Seq2Seq.Inference.Generation;

/// <summary>What to add to the score of completing a token sequence; in JSON <c>[[ids…], bias]</c>.</summary>
[JsonConverter(typeof(SequenceBiasConverter))]
public sealed record SequenceBias(IReadOnlyList<int> TokenIds, double Bias);

/// <summary>Where the end token's score begins to grow, and by which factor a token; in JSON <c>[start, factor]</c>.</summary>
[JsonConverter(typeof(ExponentialDecayConverter))]
public sealed record ExponentialDecay(int Start, double Factor);

internal sealed class SequenceBiasConverter : JsonConverter<SequenceBias>
{
    public override SequenceBias Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        using JsonDocument document = JsonDocument.ParseValue(ref reader);
        JsonElement pair = document.RootElement;
        if (
            pair.ValueKind != JsonValueKind.Array
            || pair.GetArrayLength() != 2
            || pair[0].ValueKind != JsonValueKind.Array
            || pair[1].ValueKind != JsonValueKind.Number
        )
        {
            throw new JsonException("expected pairs [[token ids], bias]");
        }

        return new SequenceBias(pair[0].Deserialize<int[]>(options)!, pair[1].GetDouble());
    }

    public override void Write(Utf8JsonWriter writer, SequenceBias value, JsonSerializerOptions options)
    {
        writer.WriteStartArray();
        JsonSerializer.Serialize(writer, value.TokenIds, options);
        writer.WriteNumberValue(value.Bias);
        writer.WriteEndArray();
    }
}

internal sealed class ExponentialDecayConverter : JsonConverter<ExponentialDecay>
{
    public override ExponentialDecay Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        using JsonDocument document = JsonDocument.ParseValue(ref reader);
        JsonElement pair = document.RootElement;
        if (
            pair.ValueKind != JsonValueKind.Array
            || pair.GetArrayLength() != 2
            || !pair[0].TryGetInt32(out int start)
            || pair[1].ValueKind != JsonValueKind.Number
        )
        {
            throw new JsonException("expected a pair [start, factor]");
        }

        return new ExponentialDecay(start, pair[1].GetDouble());
    }

    public override void Write(Utf8JsonWriter writer, ExponentialDecay value, JsonSerializerOptions options)
    {
        writer.WriteStartArray();
        writer.WriteNumberValue(value.Start);
        writer.WriteNumberValue(value.Factor);
        writer.WriteEndArray();
    }
}
