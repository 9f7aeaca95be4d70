using System.ComponentModel.DataAnnotations;
using Seq2Seq.Inference.Loading;

namespace Seq2Seq.Jobs.Configuration;

/// <summary>Configuration section <c>Models</c>: a dictionary from a model's name to this.</summary>
public sealed class ModelOptions
{
    public const string SectionName = "Models";

    /// <summary>A folder as it lies on the Hugging Face hub. Relative paths start at the content root.</summary>
    [Required]
    public string Folder { get; set; } = "";

    /// <summary><c>auto</c>, <c>float32</c>, <c>float16</c>, <c>bfloat16</c> or <c>int8</c>.</summary>
    public string ComputeType { get; set; } = "float32";

    /// <summary>Text file of source lines on which <c>auto</c> compares compute types. Relative paths start at the content root.</summary>
    public string? CalibrationFile { get; set; }

    /// <summary>Compute a model of fsmt or nllb-moe as it was published, where transformers 5.17 departs from that.</summary>
    public bool AsPublished { get; set; }

    /// <summary>What saves work without changing an output.</summary>
    public LosslessSavings Savings { get; set; } = new();

    /// <summary><c>auto</c> (measured at preload on every slot that may hold it), or a slot's name such as <c>cpu:0</c> or <c>cuda:0</c>.</summary>
    public string Device { get; set; } = "auto";

    /// <summary>What to do when direct and config-first loading have failed, in order.</summary>
    public List<FallbackOptions> Fallback { get; } = [];
}

/// <summary>One step of the operator's policy: another device, another compute type, or another configured model.</summary>
public sealed class FallbackOptions
{
    public string? Device { get; set; }

    public string? ComputeType { get; set; }

    /// <summary>Name of another configured model; the results name it.</summary>
    public string? Model { get; set; }
}
