using System.Text.Json.Serialization;

namespace Seq2Seq.Inference.Generation;

/// <summary>What becomes of a source line with more tokens than the model takes.</summary>
[JsonConverter(typeof(LongLinePolicyConverter))]
public enum LongLinePolicy
{
    /// <summary>Its result is the error <see cref="LineErrorCodes.TooLong"/>.</summary>
    [JsonStringEnumMemberName("error")]
    Error,

    /// <summary>It is cut as the tokenizer does it, which keeps the end token and the language.</summary>
    [JsonStringEnumMemberName("truncate")]
    Truncate,

    /// <summary>It is split at sentence ends; the pieces' outputs are joined.</summary>
    [JsonStringEnumMemberName("split")]
    Split,
}

internal sealed class LongLinePolicyConverter()
    : JsonStringEnumConverter<LongLinePolicy>(namingPolicy: null, allowIntegerValues: false);
