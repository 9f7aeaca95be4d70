using System.CommandLine;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Seq2Seq.Inference;
using Seq2Seq.Inference.Loading;

namespace Seq2Seq.Api.CommandLine;

/// <summary><c>seq2seq models</c>: which models are configured, and whether a folder loads, with the report that says how.</summary>
internal static class ModelsCommand
{
    private static readonly JsonSerializerOptions ReportJson = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        WriteIndented = true,
    };

    public static Command Build() => new("models", "Looks at models.") { BuildList(), BuildCheck() };

    private static ExampleCommand BuildList()
    {
        var config = ConfigurationOption.Create();
        var json = new Option<bool>("--json") { Description = "Print a JSON array" };
        var command = new ExampleCommand("list", "Lists the configured models, without loading them.")
        {
            Examples = ["seq2seq models list", "seq2seq models list --config my.json --json"],
        };
        command.Options.Add(config);
        command.Options.Add(json);
        command.SetAction(parsed =>
        {
            List<ConfiguredModel> models = ConfiguredModel.ReadAll(ConfigurationOption.Find(parsed.GetValue(config)));
            if (parsed.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(models, ReportJson));
                return;
            }

            foreach (ConfiguredModel model in models)
            {
                Console.WriteLine($"{model.Name}  {model.ModelType ?? "(no config.json)"}  {model.Folder}");
            }
        });
        return command;
    }

    private static ExampleCommand BuildCheck()
    {
        var folder = new Argument<string>("DIR") { Description = "Model folder, as it lies on the Hugging Face hub" };
        var json = new Option<bool>("--json") { Description = "Print the load report as JSON" };
        var command = new ExampleCommand("check", "Loads a model and says how it went; exit code 1 when it is refused.")
        {
            Examples = ["seq2seq models check models/english-tts", "seq2seq models check DIR --json"],
        };
        command.Arguments.Add(folder);
        command.Options.Add(json);
        command.SetAction(
            async (parsed, cancellationToken) =>
            {
                LoadReport report = await LoadAsync(parsed.GetRequiredValue(folder), cancellationToken);
                Console.WriteLine(
                    parsed.GetValue(json) ? JsonSerializer.Serialize(report, ReportJson) : Describe(report)
                );
                return report.Outcome == LoadOutcome.Loaded ? ExitCode.Success : ExitCode.Failure;
            }
        );
        return command;
    }

    private static async Task<LoadReport> LoadAsync(string folder, CancellationToken cancellationToken)
    {
        try
        {
            var options = new ModelLoadOptions { Name = ModelFolder.NameOf(folder), Folder = folder };
            await using SequenceModel model = SequenceModel.Load(options, cancellationToken);
            return model.Report;
        }
        catch (ModelLoadException e)
        {
            return e.Report;
        }
    }

    private static string Describe(LoadReport report)
    {
        var lines = new List<string>
        {
            report.Outcome == LoadOutcome.Loaded
                ? string.Create(
                    CultureInfo.InvariantCulture,
                    $"{report.Model}: loaded ({report.Strategy switch { LoadStrategy.Direct => "direct", _ => "config-first" }}), {report.ModelType}, {report.Parameters:N0} parameters, {report.ComputeType} on {report.Device}, {report.Seconds:0.00} s"
                )
                : $"{report.Model}: refused ({report.Code}): {report.Message}",
        };
        lines.AddRange(
            report.Tries.Select(attempt =>
                attempt.Error is null
                    ? $"  {attempt.Target}: loaded"
                    : $"  {attempt.Target}: {attempt.Code}: {attempt.Error}"
            )
        );
        if (report.UnusedTensors.Count > 0)
        {
            lines.Add("  unused tensors: " + string.Join(", ", report.UnusedTensors));
        }

        return string.Join(Environment.NewLine, lines);
    }
}
