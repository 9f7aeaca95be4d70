using System.Text.Json;

namespace Seq2Seq.Inference.Generation;

/// <summary>Reads and writes <see cref="GenerationParameters"/> as a JSON object; an unknown name or a wrong type is an error that names it.</summary>
public static class GenerationParametersJson
{
    /// <exception cref="GenerationParametersException">An unknown name, or a value of the wrong type.</exception>
    public static GenerationParameters Read(JsonElement element) => throw new NotSupportedException();

    public static string Write(GenerationParameters parameters) => throw new NotSupportedException();
}
