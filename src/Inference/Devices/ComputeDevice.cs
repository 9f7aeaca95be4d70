using System.Globalization;

namespace Seq2Seq.Inference.Devices;

/// <summary>
/// Where tensors live: the CPU, or one CUDA device. Slots of the CPU are numbered too (<c>cpu:0</c>, <c>cpu:1</c>): each
/// has its own model and its own share of the cores.
/// </summary>
/// <param name="Kind"><c>cpu</c> or <c>cuda</c>.</param>
/// <param name="Index">Number of the slot or device; null in plain <c>cpu</c>.</param>
public sealed record ComputeDevice(string Kind, int? Index)
{
    public static ComputeDevice Cpu { get; } = new("cpu", null);

    public bool IsCuda => Kind == "cuda";

    /// <summary>Reads <c>cpu</c>, <c>cpu:N</c>, <c>cuda</c> (= <c>cuda:0</c>) or <c>cuda:N</c>.</summary>
    /// <exception cref="FormatException">The text is none of them.</exception>
    public static ComputeDevice Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string[] parts = text.Split(':');
        bool known = parts[0] is "cpu" or "cuda";
        if (known && parts.Length == 1)
        {
            return new ComputeDevice(parts[0], parts[0] == "cuda" ? 0 : null);
        }

        if (
            known
            && parts.Length == 2
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int index)
        )
        {
            return new ComputeDevice(parts[0], index);
        }

        throw new FormatException($"'{text}' is not a device; expected 'cpu', 'cpu:N', 'cuda' or 'cuda:N'.");
    }

    public override string ToString() =>
        Index is null ? Kind : string.Create(CultureInfo.InvariantCulture, $"{Kind}:{Index}");
}
