using Seq2Seq.Inference.Devices;

namespace Seq2Seq.Inference.Loading;

/// <summary>What to load, and where to.</summary>
public sealed record ModelLoadOptions
{
    /// <summary>The name that reports and jobs use.</summary>
    public required string Name { get; init; }

    /// <summary>A folder as it lies on the Hugging Face hub: config.json, weights, tokenizer files.</summary>
    public required string Folder { get; init; }

    /// <summary>Device that holds the weights.</summary>
    public ComputeDevice Device { get; init; } = ComputeDevice.Cpu;

    /// <summary><c>auto</c>, <c>float32</c>, <c>float16</c>, <c>bfloat16</c> or <c>int8</c>.</summary>
    public string ComputeType { get; init; } = "float32";

    /// <summary>
    /// Text file of source lines on which <c>auto</c> compares the types, such as a few dozen of those that the model is for; null
    /// takes general sentences.
    /// </summary>
    public string? CalibrationFile { get; init; }

    /// <summary>
    /// Whether a model of a family that transformers 5.17 computes otherwise than its authors published it (fsmt, nllb-moe)
    /// is computed as published; else its tokens are transformers'. No other family differs.
    /// </summary>
    public bool AsPublished { get; init; }

    /// <summary>Cores that the model computes on; 0 means all that the process has.</summary>
    public int Threads { get; init; }

    /// <summary>Cores on the CPU that this model shares with others; null gives it <see cref="Threads"/> of its own.</summary>
    public ComputeCores? Cores { get; init; }

    /// <summary>Longest source line in tokens. A model whose encoder has fewer positions takes fewer; none is ever cut.</summary>
    public int MaxSourceTokens { get; init; } = 16_384;

    /// <summary>What saves work without changing an output.</summary>
    public LosslessSavings Savings { get; init; } = new();

    /// <summary>What the time of generation is measured by (<c>max_time</c>).</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
