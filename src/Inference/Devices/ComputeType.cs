namespace Seq2Seq.Inference.Devices;

/// <summary>
/// Type that the linear layers hold their weights in. Everything else computes in float32 on the CPU; results leave a
/// linear layer in its input's type.
/// </summary>
public enum ComputeType
{
    /// <summary>The fastest that gives the tokens of float32 on the device, on a sample of lines.</summary>
    Auto,
    Float32,
    Float16,
    BFloat16,

    /// <summary>8-bit weights with a scale per output; activations are quantised row by row as they come.</summary>
    Int8,
}

/// <summary>Reads and writes <see cref="ComputeType"/> as configuration and reports name it.</summary>
public static class ComputeTypeNames
{
    /// <summary>Reads <c>auto</c>, <c>float32</c>, <c>float16</c>, <c>bfloat16</c> or <c>int8</c>.</summary>
    /// <exception cref="FormatException">The text is none of them.</exception>
    public static ComputeType Parse(string text) =>
        text switch
        {
            "auto" => ComputeType.Auto,
            "float32" => ComputeType.Float32,
            "float16" => ComputeType.Float16,
            "bfloat16" => ComputeType.BFloat16,
            "int8" => ComputeType.Int8,
            _ => throw new FormatException(
                $"'{text}' is not a compute type; expected 'auto', 'float32', 'float16', 'bfloat16' or 'int8'."
            ),
        };

    public static string ToName(this ComputeType computeType) =>
        computeType switch
        {
            ComputeType.Auto => "auto",
            ComputeType.Float32 => "float32",
            ComputeType.Float16 => "float16",
            ComputeType.BFloat16 => "bfloat16",
            ComputeType.Int8 => "int8",
            _ => throw new ArgumentOutOfRangeException(nameof(computeType), computeType, message: null),
        };
}
