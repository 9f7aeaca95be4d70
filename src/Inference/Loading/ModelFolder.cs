using System.Globalization;
using System.Text.RegularExpressions;
using Seq2Seq.Inference.Weights;

namespace Seq2Seq.Inference.Loading;

/// <summary>
/// A model folder as it lies on the Hugging Face hub or in its cache, and what in it may hold weights. Only names count
/// here; nothing is opened.
/// </summary>
internal sealed partial class ModelFolder
{
    public const string Safetensors = "model.safetensors";
    public const string SafetensorsIndex = "model.safetensors.index.json";
    public const string Bin = "pytorch_model.bin";
    public const string BinIndex = "pytorch_model.bin.index.json";

    private const string BinExtension = ".bin";
    private const int MaxListed = 12;

    private readonly string[] _names;

    private ModelFolder(string path, string[] names)
    {
        FullPath = path;
        _names = names;
    }

    public string FullPath { get; }

    /// <summary>Finds the folder: itself, or, for a model's folder in the hub cache, the snapshot that <c>main</c> names.</summary>
    /// <exception cref="LoadRefusedException">It is absent, no folder, or can't be listed.</exception>
    public static ModelFolder Open(string folder)
    {
        if (!Directory.Exists(folder))
        {
            throw Refuse(
                File.Exists(folder)
                    ? $"'{folder}' is a file; expected a model folder with {ModelConfiguration.FileName} and weights."
                    : $"'{folder}' does not exist; expected a model folder with {ModelConfiguration.FileName} and weights."
            );
        }

        try
        {
            string path = Snapshot(folder) ?? folder;
            return new ModelFolder(
                path,
                [
                    .. new DirectoryInfo(path)
                        .EnumerateFileSystemInfos()
                        .Select(entry => entry.Name)
                        .Order(StringComparer.Ordinal),
                ]
            );
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Refuse($"'{folder}' can't be listed: {exception.Message}", exception);
        }
    }

    /// <summary>What may hold weights, the likeliest first.</summary>
    /// <exception cref="LoadRefusedException">There is nothing; says what was found instead.</exception>
    public IReadOnlyList<WeightsCandidate> Candidates()
    {
        var candidates = new List<WeightsCandidate>();
        AddFile(Safetensors, isPreferred: true);
        AddIndex(SafetensorsIndex, WeightsFile.SafetensorsExtension, isPreferred: candidates.Count == 0);
        candidates.AddRange(Shards(WeightsFile.SafetensorsExtension));
        AddFile(Bin, isPreferred: false);
        AddIndex(BinIndex, BinExtension, isPreferred: false);
        candidates.AddRange(Shards(BinExtension));
        candidates.AddRange(OtherSafetensors().Select(name => new WeightsCandidate(name, [name])));
        candidates.AddRange(
            _names
                .Where(name => name != Bin && BinVariant().IsMatch(name))
                .Select(name => new WeightsCandidate(name, [name]))
        );
        return candidates.Count > 0 ? candidates : throw NoWeights();

        void AddFile(string name, bool isPreferred)
        {
            if (_names.Contains(name, StringComparer.Ordinal))
            {
                candidates.Add(new WeightsCandidate(name, [name], IsPreferred: isPreferred));
            }
        }

        void AddIndex(string name, string extension, bool isPreferred)
        {
            if (_names.Contains(name, StringComparer.Ordinal))
            {
                candidates.Add(new WeightsCandidate(name, [], extension, isPreferred));
            }
        }
    }

    // A cache's folder "models--owner--name" holds blobs/, refs/ and snapshots/<commit>/.
    private static string? Snapshot(string folder)
    {
        string reference = Path.Join(folder, "refs", "main");
        string snapshots = Path.Join(folder, "snapshots");
        if (Path.Exists(Path.Join(folder, ModelConfiguration.FileName)) || !Directory.Exists(snapshots))
        {
            return null;
        }

        string? commit = new FileInfo(reference) is { Exists: true, Length: > 0 and < 100 }
            ? File.ReadAllText(reference).Trim()
            : null;
        return
            commit is not null
            && commit.All(char.IsAsciiHexDigitLower)
            && Directory.Exists(Path.Join(snapshots, commit))
            ? Path.Join(snapshots, commit)
            : throw Refuse(
                $"'{folder}' is a model of the hub cache whose refs/main names no snapshot; expected the folder of a snapshot with {ModelConfiguration.FileName}."
            );
    }

    // Shards count as a group of their own only where no index is there, or the index fails.
    private IEnumerable<WeightsCandidate> Shards(string extension) =>
        _names
            .Select(name => (Name: name, Match: ShardName().Match(name)))
            .Where(shard => shard.Match.Success && shard.Name.EndsWith(extension, StringComparison.Ordinal))
            .GroupBy(
                shard => $"{shard.Match.Groups["stem"].Value}-*-of-{shard.Match.Groups["count"].Value}{extension}",
                shard => shard.Name,
                StringComparer.Ordinal
            )
            .Select(group => new WeightsCandidate(group.Key, [.. group]));

    // Of several variants the one with most bytes has most of the precision.
    private IEnumerable<string> OtherSafetensors() =>
        _names
            .Where(name =>
                name != Safetensors
                && name.EndsWith(WeightsFile.SafetensorsExtension, StringComparison.Ordinal)
                && !ShardName().IsMatch(name)
                && !NoModel().IsMatch(name)
            )
            .OrderByDescending(name =>
                new FileInfo(Path.Join(FullPath, name)) is { Exists: true } file ? file.Length : 0
            )
            .ThenBy(name => name, StringComparer.Ordinal);

    private LoadRefusedException NoWeights()
    {
        string found = _names.Length == 0 ? "nothing" : string.Join(", ", _names.Take(MaxListed));
        string more =
            _names.Length > MaxListed
                ? string.Create(CultureInfo.InvariantCulture, $" and {_names.Length - MaxListed} more")
                : "";
        string adapter = _names.Any(name => name.StartsWith("adapter_", StringComparison.Ordinal))
            ? " An adapter alone is no model: merge it into its base model first."
            : "";
        return new LoadRefusedException(
            LoadCodes.WeightsMissing,
            $"The folder holds no weights that can be read: expected {Safetensors}, {Bin}, or shards of either; found {found}{more}.{adapter}"
        );
    }

    private static LoadRefusedException Refuse(string message, Exception? cause = null) =>
        new(LoadCodes.FolderInvalid, message, cause);

    [GeneratedRegex(
        @"^(?<stem>[A-Za-z0-9_]+)(\.[A-Za-z0-9_]+)?-\d{5}-of-(?<count>\d{5})\.(safetensors|bin)$",
        RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex ShardName();

    [GeneratedRegex(
        @"^pytorch_model\.[A-Za-z0-9_]+\.bin$",
        RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex BinVariant();

    [GeneratedRegex(
        "^(adapter|optimizer|scheduler|training_args|rng_state|tokenizer|ema)",
        RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex NoModel();
}
