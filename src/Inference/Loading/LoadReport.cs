using System.Text.Json.Serialization;
using Seq2Seq.Inference.Tokenization;

namespace Seq2Seq.Inference.Loading;

/// <summary>What happened when a model was loaded: every try with its error, and what came of it. Serialised in snake_case.</summary>
public sealed record LoadReport
{
    /// <summary>The model's name in the configuration, or the folder's name.</summary>
    public required string Model { get; init; }

    /// <summary>The folder as it was given.</summary>
    public required string Folder { get; init; }

    public required LoadOutcome Outcome { get; init; }

    /// <summary>The strategy that filled the weights; null when the load was refused.</summary>
    public LoadStrategy? Strategy { get; init; }

    /// <summary>Why the load was refused: a stable code. Null when loaded.</summary>
    public string? Code { get; init; }

    /// <summary>Why the load was refused, naming the tensor or file, what was found and what was expected. Null when loaded.</summary>
    public string? Message { get; init; }

    /// <summary>Every try in order.</summary>
    public required IReadOnlyList<LoadTry> Tries { get; init; }

    /// <summary>The configuration's model_type, such as <c>t5</c>; null when the configuration could not be read.</summary>
    public string? ModelType { get; init; }

    /// <summary>Device that holds the weights, such as <c>cpu</c> or <c>cuda:0</c>.</summary>
    public string? Device { get; init; }

    /// <summary>Type that the linear layers compute in, such as <c>float32</c>; what <c>auto</c> came to.</summary>
    public string? ComputeType { get; init; }

    /// <summary>The languages that a caller can ask for; null where nobody has looked.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ModelLanguages? Languages { get; init; }

    /// <summary>Number of parameters, tied ones once.</summary>
    public long Parameters { get; init; }

    /// <summary>Bytes of weights read from files.</summary>
    public long Bytes { get; init; }

    /// <summary>Seconds from the call to a model that can run.</summary>
    public double Seconds { get; init; }

    /// <summary>SHA-256 over names, shapes and values of the weights as filled (64 hex digits); equal for twins in other formats.</summary>
    public string? WeightsDigest { get; init; }

    /// <summary>Files the weights came from, relative to the folder.</summary>
    public IReadOnlyList<string> Files { get; init; } = [];

    /// <summary>Tensors of the files that no parameter took.</summary>
    public IReadOnlyList<string> UnusedTensors { get; init; } = [];

    /// <summary>What was odd about the folder and how it was met: weights that overrule the configuration, renamed tensors.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];
}

/// <summary>One try to load, and its error.</summary>
public sealed record LoadTry
{
    public required LoadStrategy Strategy { get; init; }

    /// <summary>What was tried: a file, or a device and compute type of the policy.</summary>
    public required string Target { get; init; }

    /// <summary>Null when this try loaded the model.</summary>
    public string? Code { get; init; }

    public string? Error { get; init; }

    public double Seconds { get; init; }
}

/// <summary>How the weights were filled.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<LoadStrategy>))]
public enum LoadStrategy
{
    /// <summary>The preferred weights file was mapped and the model built on its tensors.</summary>
    [JsonStringEnumMemberName("direct")]
    Direct,

    /// <summary>The model was built from config.json and every weight filled from whatever the folder holds.</summary>
    [JsonStringEnumMemberName("config-first")]
    ConfigFirst,
}

/// <summary>How a load ended.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<LoadOutcome>))]
public enum LoadOutcome
{
    [JsonStringEnumMemberName("loaded")]
    Loaded,

    [JsonStringEnumMemberName("refused")]
    Refused,
}
