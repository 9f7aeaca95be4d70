using Seq2Seq.Bench.Comparing;
using Seq2Seq.Bench.Measuring;
using Seq2Seq.Bench.Peers;
using Seq2Seq.Bench.Workloads;

namespace Seq2Seq.Bench;

/// <summary>What all parts of a run share.</summary>
internal sealed class BenchmarkContext : IDisposable
{
    public required BenchmarkScale Scale { get; init; }
    public required BenchmarkFiles Files { get; init; }
    public required SettingsStore Settings { get; init; }

    /// <summary>Null: the peers' columns stay empty.</summary>
    public required PeerFolder? Peers { get; init; }

    /// <summary>Alternating runs of each thing.</summary>
    public int Rounds { get; init; } = 5;

    /// <summary>Most time for the alternating runs of one part, if three of each are done by then.</summary>
    public TimeSpan Budget { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Whether to search for the best settings, also where some are known.</summary>
    public bool SearchesAgain { get; init; }

    public NoiseMeter Noise { get; } = new();

    /// <summary>Says what is going on.</summary>
    public required Action<string> Progress { get; init; }

    /// <summary>The folder of a benchmark model; makes it where the peers can.</summary>
    /// <exception cref="UnavailableException">It is not there and can't be made.</exception>
    public async Task<string> ModelAsync(string name, CancellationToken cancellationToken)
    {
        if (name == BenchmarkFiles.BundledModel)
        {
            Files.CopyBundledModel();
        }
        else if (name == BenchmarkFiles.CopyingModel)
        {
            Files.MakeCopyingModel();
        }

        string folder = Files.Model(name);
        if (File.Exists(Path.Combine(folder, "config.json")))
        {
            return folder;
        }

        if (Peers is null)
        {
            throw new UnavailableException(
                $"{folder} is not there. --peers DIR can make it, or put a Hugging Face folder of that shape there."
            );
        }

        Progress($"making {folder}");
        await Peers.MakeModelsAsync(Path.GetDirectoryName(folder)!, [name], cancellationToken);
        return folder;
    }

    public void Dispose() => Noise.Dispose();
}
