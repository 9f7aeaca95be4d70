using System.Collections.Frozen;
using System.Text.Json;

namespace Seq2Seq.Inference.Generation;

/// <summary>
/// The other options of transformers' GenerationConfig: known by name, so that a caller who sets one hears that it is not
/// supported rather than that it does not exist. A value that changes nothing is accepted.
/// </summary>
internal static class UnsupportedParameters
{
    /// <summary>Options that would change which tokens come out, each with the value that does not.</summary>
    private static readonly FrozenDictionary<string, Func<JsonElement, bool>> Changing = new Dictionary<
        string,
        Func<JsonElement, bool>
    >(StringComparer.Ordinal)
    {
        ["max_time"] = Never,
        ["stop_strings"] = Never,
        ["use_mtp"] = IsFalse,
        ["top_h"] = Never,
        ["token_healing"] = IsFalse,
        ["guidance_scale"] = Is(1),
        ["watermarking_config"] = Never,
        ["num_beam_groups"] = Is(1),
        ["diversity_penalty"] = Is(0),
        ["penalty_alpha"] = Is(0),
        ["dola_layers"] = Never,
        ["constraints"] = Never,
        ["force_words_ids"] = Never,
        ["prompt_lookup_num_tokens"] = Never,
        ["assistant_early_exit"] = Never,
        ["assistant_ensemble_weight"] = Never,
        ["speculation_type"] = Never,
        ["global_attention_mask"] = Never,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Options about how transformers computes or what else it returns.</summary>
    private static readonly FrozenDictionary<string, Func<JsonElement, bool>> Technical = new Dictionary<
        string,
        Func<JsonElement, bool>
    >(StringComparer.Ordinal)
    {
        ["use_cache"] = IsBoolean,
        ["cache_implementation"] = Never,
        ["cache_config"] = Never,
        ["max_cache_len"] = Never,
        ["output_attentions"] = IsFalse,
        ["output_hidden_states"] = IsFalse,
        ["output_scores"] = IsFalse,
        ["output_logits"] = IsFalse,
        ["return_dict_in_generate"] = IsFalse,
        ["is_assistant"] = IsFalse,
        ["num_assistant_tokens"] = Is(20),
        ["num_assistant_tokens_schedule"] = Never,
        ["assistant_confidence_threshold"] = Never,
        ["max_matching_ngram_size"] = Never,
        ["assistant_lookbehind"] = Never,
        ["target_lookbehind"] = Never,
        ["compile_config"] = Never,
        ["disable_compile"] = IsBoolean,
        ["continuous_batching_config"] = Never,
        ["low_memory"] = IsFalse,
        ["prefill_chunk_size"] = Never,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    public static bool IsKnown(string name) => Changing.ContainsKey(name) || Technical.ContainsKey(name);

    public static bool ChangesResult(string name) => Changing.ContainsKey(name);

    /// <summary>Whether the value of a known option leaves everything as it is without it.</summary>
    public static bool IsNeutral(string name, JsonElement value) =>
        Changing.TryGetValue(name, out Func<JsonElement, bool>? neutral)
            ? neutral(value)
            : Technical.TryGetValue(name, out neutral) && neutral(value);

    public static GenerationParametersException Refuse(string name) =>
        name == "global_attention_mask"
            ? new(name, $"'{name}' is not supported here; 'global_attention': \"first_token\" marks the first token.")
            : new(name, $"'{name}' is a generation parameter of transformers that is not supported here.");

    private static bool Never(JsonElement value) => false;

    private static bool IsFalse(JsonElement value) => value.ValueKind == JsonValueKind.False;

    private static bool IsBoolean(JsonElement value) => value.ValueKind is JsonValueKind.True or JsonValueKind.False;

    private static Func<JsonElement, bool> Is(double neutral) =>
        value => value.ValueKind == JsonValueKind.Number && value.GetDouble().Equals(neutral);
}
