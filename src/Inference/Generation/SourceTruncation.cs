using System.Text.Json;

namespace Seq2Seq.Inference.Generation;

/// <summary>That a source was cut, as <see cref="LongLinePolicy.Truncate"/> asks, and how much of it was read.</summary>
/// <param name="SourceTokens">Tokens of the whole line, special tokens included.</param>
/// <param name="KeptTokens">Those that the model read.</param>
public sealed record SourceTruncation(int SourceTokens, int KeptTokens)
{
    /// <summary>Writes the properties of a result whose source was cut; other results have none of them.</summary>
    public void WriteTo(Utf8JsonWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteBoolean("truncated"u8, true);
        writer.WriteNumber("source_tokens"u8, SourceTokens);
        writer.WriteNumber("kept_tokens"u8, KeptTokens);
    }
}
