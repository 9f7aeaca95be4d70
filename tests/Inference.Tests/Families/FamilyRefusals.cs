using System.Text.Json.Nodes;

namespace Seq2Seq.Inference.Tests.Families;

/// <summary>
/// What a family's configuration can ask for and does not get: refused at load by the key, never done in another way.
/// docs/models.md lists them.
/// </summary>
internal sealed record FamilyRefusal
{
    /// <summary>Every one that is known, by the model type that it belongs to.</summary>
    public static IReadOnlyList<FamilyRefusal> All { get; } =
    [
        new("mvp", "mvp", "use_prompt", true, "MVP's prompts"),
        new("nllb-moe", "nllb-moe", "second_expert_policy", "random", "experts drawn at random"),
        new("nllb-moe", "nllb-moe", "router_dtype", "bfloat16", "a router in less than float32"),
        new("switch_transformers", "switch", "router_dtype", "bfloat16", "a router in less than float32"),
        new("encoder-decoder", "bert2bert", "encoder.model_type", "xlnet", "an encoder of another kind"),
        new("encoder-decoder", "bert2bert", "decoder.model_type", "distilbert", "a decoder of another kind"),
        new(
            "encoder-decoder",
            "bert2bert",
            "decoder.cross_attention_hidden_size",
            48,
            "attention to a source of another width"
        ),
        new("encoder-decoder", "bert2bert", "encoder.position_embedding_type", "relative_key", "relative positions"),
        new("prophetnet", "prophetnet", "add_cross_attention", false, "a decoder that does not look at the source"),
        new("t5gemma", "t5gemma", "decoder.rope_parameters.rope_type", "yarn", "rotary scaling other than linear"),
    ];

    private FamilyRefusal(string modelType, string golden, string key, JsonNode value, string what)
    {
        (ModelType, Golden, Key, Value, What) = (modelType, golden, key, value, what);
    }

    public string ModelType { get; }

    /// <summary>A folder of Data/generation that loads until it asks for this.</summary>
    public string Golden { get; }

    /// <summary>The path of the key in config.json.</summary>
    public string Key { get; }

    public JsonNode Value { get; }

    /// <summary>In words, for the page.</summary>
    public string What { get; }

    public override string ToString() => $"{ModelType}, {Key}";
}
