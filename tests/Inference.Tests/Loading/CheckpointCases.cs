using System.Formats.Tar;
using System.IO.Compression;
using System.Text.Json;

namespace Seq2Seq.Inference.Tests.Loading;

/// <summary>
/// The reference checkpoint folders, good ones, broken ones and hostile ones, with what must become of each: unpacked from
/// <c>Data/checkpoints.tar.br</c> (links and all) and removed afterwards. <c>Data/README.md</c> says where they come from.
/// </summary>
public sealed class CheckpointCases : IDisposable
{
    private static readonly Lazy<Dictionary<string, CheckpointCase>> _cases = new(ReadExpectations);

    private static string ArchivePath => Path.Join(AppContext.BaseDirectory, "Data", "checkpoints.tar.br");

    public CheckpointCases()
    {
        Directory.CreateDirectory(Root);
        using Stream archive = OpenArchive();
        TarFile.ExtractToDirectory(archive, Root, overwriteFiles: false);
    }

    public static IReadOnlyDictionary<string, CheckpointCase> All => _cases.Value;

    public string Root { get; } = Path.Join(Path.GetTempPath(), $"checkpoints-{Guid.NewGuid():n}");

    public void Dispose() => Directory.Delete(Root, recursive: true);

    private static BrotliStream OpenArchive() => new(File.OpenRead(ArchivePath), CompressionMode.Decompress);

    private static Dictionary<string, CheckpointCase> ReadExpectations()
    {
        var options = new JsonSerializerOptions { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };
        using var archive = new TarReader(OpenArchive());
        while (archive.GetNextEntry() is { } entry)
        {
            if (entry.Name.EndsWith("expected.json", StringComparison.Ordinal))
            {
                return JsonSerializer
                    .Deserialize<CheckpointCase[]>(entry.DataStream!, options)!
                    .ToDictionary(item => item.Case, StringComparer.Ordinal);
            }
        }

        throw new InvalidDataException($"{ArchivePath} holds no expected.json.");
    }
}

/// <summary>One entry of expected.json.</summary>
public sealed record CheckpointCase
{
    public required string Case { get; init; }

    public required string Folder { get; init; }

    public required string Kind { get; init; }

    /// <summary><c>loads</c> or <c>refused</c>.</summary>
    public required string Outcome { get; init; }

    /// <summary><c>direct</c> or <c>config-first</c>; null when refused.</summary>
    public string? Path { get; init; }

    /// <summary>The base case whose ids hold.</summary>
    public string? SameAs { get; init; }

    public int[][]? InputIds { get; init; }

    public int[][]? OutputIds { get; init; }

    public IReadOnlyList<string> HintContains { get; init; } = [];

    public IReadOnlyList<string> ReportContains { get; init; } = [];

    /// <summary>What else is right.</summary>
    public string Lenient { get; init; } = "";

    public int[][]? OwnIdsIfLoaded { get; init; }

    public required string Why { get; init; }
}
