using Seq2Seq.Bench.Measuring;

namespace Seq2Seq.Bench.Peers;

/// <summary>
/// Where the reference libraries lie: a folder with <c>python</c>, a program that runs a Python with transformers and
/// CTranslate2, and <c>peers.py</c>, which runs one of them on a model and a file of lines with the words of
/// <c>bench engine</c>, and prints what it took as one JSON object. <c>bench_models.py OUT NAME…</c>, where it is there, makes the
/// benchmark models.
/// </summary>
internal sealed class PeerFolder
{
    private const string VersionsScript =
        "import importlib.metadata as m; print(', '.join(f'{n} {m.version(n)}' for n in ('transformers', 'torch', 'ctranslate2')))";

    private readonly string _folder;

    private PeerFolder(string folder) => _folder = folder;

    public string Python => Path.Combine(_folder, "python");

    public string Script => Path.Combine(_folder, "peers.py");

    /// <exception cref="ArgumentException">A file is missing; names it.</exception>
    public static PeerFolder Open(string folder)
    {
        PeerFolder peers = new(Path.GetFullPath(folder));
        foreach (string file in new[] { peers.Python, peers.Script })
        {
            if (!File.Exists(file))
            {
                throw new ArgumentException(
                    $"The peers' folder needs {Path.GetFileName(file)}; {file} is not there.",
                    nameof(folder)
                );
            }
        }

        return peers;
    }

    /// <summary>Names and versions of the libraries, for the report.</summary>
    public async Task<string> VersionsAsync(CancellationToken cancellationToken) =>
        (await ChildProcess.RunAsync(Python, ["-c", VersionsScript], cancellationToken)).Trim();

    /// <summary>Makes benchmark models in a folder.</summary>
    public Task MakeModelsAsync(string folder, string[] names, CancellationToken cancellationToken) =>
        ChildProcess.RunAsync(Python, [Path.Combine(_folder, "bench_models.py"), folder, .. names], cancellationToken);
}
