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
    public INetwork Network { get; } = network;

    public ModelConfiguration Configuration { get; } = configuration;

    /// <summary>The folder that holds config.json, and the tokenizer's files beside it.</summary>
    public string Folder { get; } = folder;

    public LoadReport Report { get; } = report;

    public void Dispose() => Network.Dispose();
}
