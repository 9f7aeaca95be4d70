namespace Seq2Seq.Jobs.Configuration;

/// <summary>Configuration section <c>Models</c>: the configured models by name.</summary>
public sealed class ModelsOptions() : Dictionary<string, ModelOptions>(StringComparer.OrdinalIgnoreCase);
