using System.Text.Json;
using System.Text.Json.Serialization;

namespace Seq2Seq.Inference.Generation;

/// <summary>When a beam search ends; in JSON <c>false</c>, <c>true</c> or <c>"never"</c>.</summary>
[JsonConverter(typeof(EarlyStoppingConverter))]
public enum EarlyStopping
{
    /// <summary>When better candidates are unlikely: judged from the present length.</summary>
    Heuristic,

    /// <summary>As soon as there are as many finished candidates as beams.</summary>
    AtNumBeams,

    /// <summary>Only when there can't be better candidates.</summary>
    Never,
}

internal sealed class EarlyStoppingConverter : JsonConverter<EarlyStopping>
{
    public override EarlyStopping Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType switch
        {
            JsonTokenType.False => EarlyStopping.Heuristic,
            JsonTokenType.True => EarlyStopping.AtNumBeams,
            JsonTokenType.String when reader.ValueTextEquals("never"u8) => EarlyStopping.Never,
            _ => throw new JsonException("expected true, false or \"never\""),
        };

    public override void Write(Utf8JsonWriter writer, EarlyStopping value, JsonSerializerOptions options)
    {
        if (value == EarlyStopping.Never)
        {
            writer.WriteStringValue("never"u8);
        }
        else
        {
            writer.WriteBooleanValue(value == EarlyStopping.AtNumBeams);
        }
    }
}
