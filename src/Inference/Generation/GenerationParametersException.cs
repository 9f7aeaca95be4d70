namespace Seq2Seq.Inference.Generation;

/// <summary>A generation parameter is unknown, out of range or not supported: the caller must change it.</summary>
public sealed class GenerationParametersException(string parameter, string message) : Exception(message)
{
    /// <summary>Hugging Face's name of the parameter, such as <c>num_beams</c>.</summary>
    public string Parameter { get; } = parameter;
}
