using System.Text.Json.Serialization;

namespace Seq2Seq.Inference.Generation;

/// <summary>Source tokens with global attention; in JSON <c>"none"</c> or <c>"first_token"</c>.</summary>
[JsonConverter(typeof(GlobalAttentionConverter))]
public enum GlobalAttention
{
    [JsonStringEnumMemberName("none")]
    None,

    [JsonStringEnumMemberName("first_token")]
    FirstToken,
}

/// <summary>Takes the names alone, no numbers.</summary>
internal sealed class GlobalAttentionConverter()
    : JsonStringEnumConverter<GlobalAttention>(namingPolicy: null, allowIntegerValues: false);
