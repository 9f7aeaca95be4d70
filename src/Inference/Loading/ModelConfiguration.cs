namespace Seq2Seq.Inference.Loading;

/// <summary>
/// What a model folder says of its model: config.json, and generation_config.json, which decides over generation where it
/// is there (as in transformers' <c>GenerationConfig.from_pretrained</c>).
/// </summary>
internal sealed class ModelConfiguration
{
    public const string FileName = "config.json";
    public const string GenerationFileName = "generation_config.json";

    private ModelConfiguration(string modelType, ConfigurationSection root, ConfigurationSection generation)
    {
        ModelType = modelType;
        Root = root;
        Generation = generation;
    }

    /// <summary>The value of <c>model_type</c>.</summary>
    public string ModelType { get; }

    /// <summary>config.json.</summary>
    public ConfigurationSection Root { get; }

    /// <summary>Where generation's defaults stand: generation_config.json if the folder has a readable one, else config.json.</summary>
    public ConfigurationSection Generation { get; }

    /// <summary>What was odd and how it was met.</summary>
    public IReadOnlyList<string> Notes { get; private init; } = [];

    /// <exception cref="LoadRefusedException">config.json is absent or can't be read.</exception>
    /// <exception cref="ModelConfigurationException">model_type is absent or no text.</exception>
    public static ModelConfiguration Read(string folder)
    {
        if (!Exists(folder, FileName))
        {
            throw new LoadRefusedException(
                LoadCodes.ConfigMissing,
                $"{FileName} does not exist in '{folder}'; expected a model folder as it lies on the Hugging Face hub."
            );
        }

        ConfigurationSection root = ConfigurationFile.Read(folder, FileName);
        string modelType =
            root.OptionalText("model_type")
            ?? throw root.Refuse(
                "model_type",
                root.Find("model_type") is null ? "absent" : "null",
                "the name of a family, such as \"t5\""
            );
        ConfigurationSection generation = root;
        string[] notes = [];
        if (Exists(folder, GenerationFileName))
        {
            try
            {
                generation = ConfigurationFile.Read(folder, GenerationFileName);
            }
            catch (LoadRefusedException exception)
            {
                notes = [$"{exception.Message} {FileName} serves for generation instead."];
            }
        }

        return new ModelConfiguration(modelType, root, generation) { Notes = notes };
    }

    // A dangling link does not "exist", but must be named, not overlooked.
    private static bool Exists(string folder, string name)
    {
        string path = Path.Join(folder, name);
        return Path.Exists(path) || new FileInfo(path).LinkTarget is not null;
    }
}
