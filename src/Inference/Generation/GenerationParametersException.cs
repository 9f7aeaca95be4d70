namespace Seq2Seq.Inference.Generation;

/// <summary>A generation parameter is unknown, out of range or not supported: the caller must change it.</summary>
public sealed class GenerationParametersException(string parameter, string message) : Exception(message)
{
    /// <summary>Hugging Face's name of the parameter, such as <c>num_beams</c>.</summary>
    public string Parameter { get; } = parameter;

    /// <summary>What it was, where the message says it too.</summary>
    public string? Found { get; init; }

    /// <summary>What it can be, where the message says it too.</summary>
    public string? Expected { get; init; }
}
