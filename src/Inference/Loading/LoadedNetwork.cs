using Seq2Seq.Inference.Families;

namespace Seq2Seq.Inference.Loading;

/// <summary>What a load plan made: a network whose every weight was filled and verified.</summary>
internal sealed class LoadedNetwork(
    INetwork network,
    ModelConfiguration configuration,
    string folder,
    LoadReport report
) : IDisposable
{
    private Action? _free = network.Dispose;

    public INetwork Network { get; } = network;

    public ModelConfiguration Configuration { get; } = configuration;

    /// <summary>The folder that holds config.json, and the tokenizer's files beside it.</summary>
    public string Folder { get; } = folder;

    public LoadReport Report { get; } = report;

    /// <summary>The same network for one more holder, with a report of its own.</summary>
    /// <param name="heldReport">The holder's report.</param>
    /// <param name="letGo">Called once, when the holder no longer needs it.</param>
    public LoadedNetwork HeldBy(LoadReport heldReport, Action letGo) =>
        new(Network, Configuration, Folder, heldReport) { _free = letGo };

    public void Dispose() => Interlocked.Exchange(ref _free, null)?.Invoke();
}
