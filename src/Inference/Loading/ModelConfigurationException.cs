namespace Seq2Seq.Inference.Loading;

/// <summary>A key of a configuration file has a value that can't be used; the message names key, found and expected.</summary>
internal sealed class ModelConfigurationException(string key, string message) : Exception(message)
{
    public string Key { get; } = key;
}
