using System.Text.Json;
using Seq2Seq.Api.Hosting;
using Seq2Seq.Jobs.Configuration;

namespace Seq2Seq.Api.CommandLine;

/// <summary>A model of the configuration, as <c>seq2seq models list</c> shows it.</summary>
/// <param name="Name">Its name in the configuration.</param>
/// <param name="Folder">Its folder, as a full path.</param>
/// <param name="Device">The device or slot that the configuration asks for.</param>
/// <param name="ComputeType">The type that the configuration asks for.</param>
/// <param name="ModelType">From config.json; null when that can't be read.</param>
internal sealed record ConfiguredModel(string Name, string Folder, string Device, string ComputeType, string? ModelType)
{
    public static List<ConfiguredModel> ReadAll(ServiceConfiguration source)
    {
        IConfigurationRoot configuration;
        try
        {
            configuration = source.AddTo(new ConfigurationBuilder()).Build();
        }
        catch (InvalidDataException e)
        {
            throw new CommandException($"'{source.File}': {e.InnerException?.Message ?? e.Message}", e);
        }

        return
        [
            .. configuration
                .GetSection(ModelOptions.SectionName)
                .GetChildren()
                .Select(section =>
                {
                    ModelOptions options = section.Get<ModelOptions>() ?? new ModelOptions();
                    string folder = Path.GetFullPath(options.Folder, source.Root);
                    return new ConfiguredModel(
                        section.Key,
                        folder,
                        options.Device,
                        options.ComputeType,
                        ReadModelType(folder)
                    );
                }),
        ];
    }

    private static string? ReadModelType(string folder)
    {
        try
        {
            using var config = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "config.json")));
            return config.RootElement.GetProperty("model_type").GetString();
        }
        catch (Exception e)
            when (e
                    is IOException
                        or UnauthorizedAccessException
                        or JsonException
                        or KeyNotFoundException
                        or InvalidOperationException
            )
        {
            return null;
        }
    }
}
