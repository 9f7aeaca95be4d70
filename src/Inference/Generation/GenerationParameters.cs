using System.Text.Json.Serialization;

namespace Seq2Seq.Inference.Generation;

/// <summary>
/// Generation options that a caller sets, under Hugging Face's own names (GenerationConfig of transformers 5.17); null
/// means the model's default. Read them with <see cref="GenerationParametersJson"/>, which refuses unknown names.
/// </summary>
public sealed record GenerationParameters
{
    [JsonPropertyName("num_beams")]
    public int? NumBeams { get; init; }

    [JsonPropertyName("num_return_sequences")]
    public int? NumReturnSequences { get; init; }

    [JsonPropertyName("max_new_tokens")]
    public int? MaxNewTokens { get; init; }

    [JsonPropertyName("max_length")]
    public int? MaxLength { get; init; }

    [JsonPropertyName("min_new_tokens")]
    public int? MinNewTokens { get; init; }

    [JsonPropertyName("min_length")]
    public int? MinLength { get; init; }
}
