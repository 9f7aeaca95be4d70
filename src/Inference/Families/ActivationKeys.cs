using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Loading;

namespace Seq2Seq.Inference.Families;

/// <summary>Keys of configurations that name an activation.</summary>
internal static class ActivationKeys
{
    /// <exception cref="ModelConfigurationException">The name is not known; names it and those that are.</exception>
    public static Activation Activation(this ConfigurationSection section, string key, string defaultName)
    {
        string name = section.Text(key, defaultName);
        try
        {
            return Activations.Parse(name);
        }
        catch (FormatException exception)
        {
            throw section.Refuse(key, $"\"{name}\"", exception.Message);
        }
    }
}
