using System.Text.Json;
using Seq2Seq.Bench.Workloads;

namespace Seq2Seq.Bench.Scale;

/// <summary>A configuration file of a service with nothing but the tiny model, and what jobs on it look like.</summary>
internal sealed class TinyService : IDisposable
{
    public const string Model = "tiny";

    /// <summary>Generation parameters: as little work for each line as there can be.</summary>
    public const string Parameters = """{"max_new_tokens":2}""";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("seq2seq-bench-");

    public TinyService(BenchmarkFiles files) =>
        System.IO.File.WriteAllText(
            Configuration,
            JsonSerializer.Serialize(
                new
                {
                    Models = new Dictionary<string, object>(StringComparer.Ordinal)
                    {
                        [Model] = new { Folder = files.TinyModel() },
                    },
                }
            )
        );

    public string Configuration => File("service.json");

    /// <summary>A file beside it.</summary>
    public string File(string name) => Path.Combine(_folder.FullName, name);

    public void Dispose() => _folder.Delete(recursive: true);
}
