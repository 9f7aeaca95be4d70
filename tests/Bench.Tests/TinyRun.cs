using System.Globalization;
using Seq2Seq.Bench.Comparing;
using Seq2Seq.Bench.Peers;
using Seq2Seq.Bench.Reporting;
using Seq2Seq.Bench.Workloads;

namespace Seq2Seq.Bench.Tests;

/// <summary>
/// A run of benchmarks at their smallest: the bundled model stands for all models, and a script for the peers that says what
/// it was asked for and took one second.
/// </summary>
internal sealed class TinyRun : IDisposable
{
    // $2 is peers.py's first word: the peer, then the model and the file of lines. CTranslate2 converts the model at first use.
    private const string FakePeers = """
        #!/bin/sh
        case $1 in
            -c) echo 'transformers 0, torch 0, ctranslate2 0'; exit ;;
            *ct2_alone.py) peer=ct2 lines=$3 ;;
            *) peer=$2 lines=$4; [ "$peer" = hf ] || mkdir -p "$3.ct2" ;;
        esac
        echo "$@" >>"$(dirname "$0")/calls"
        echo "{\"peer\":\"$peer\",\"lines\":$(wc -l <"$lines"),\"target_tokens\":5,\"load_s\":0.5,\"seconds\":1.0,\"peak_rss_mb\":100}"
        """;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("seq2seq-bench-tests-");

    /// <param name="peers">Whether the stand-in for the peers is there.</param>
    public TinyRun(bool peers = true)
    {
        BenchmarkFiles files = new(Repository, _folder.FullName);
        files.CopyBundledModel();
        foreach (string name in new[] { "t5-small", "opus-mt" })
        {
            Directory.CreateSymbolicLink(files.Model(name), files.Model(BenchmarkFiles.BundledModel));
        }

        if (peers)
        {
            string python = Path.Combine(_folder.FullName, "python");
            File.WriteAllText(python, FakePeers);
            File.SetUnixFileMode(python, (UnixFileMode)0b111_101_101);
            File.WriteAllText(Path.Combine(_folder.FullName, "peers.py"), "");
        }

        Context = new BenchmarkContext
        {
            Scale = BenchmarkScale.Tiny,
            Files = files,
            Settings = new SettingsStore(files.Settings),
            Peers = peers ? PeerFolder.Open(_folder.FullName) : null,
            Rounds = 1,
            Progress = _ => { },
        };
    }

    public BenchmarkContext Context { get; }

    public string Folder => _folder.FullName;

    /// <summary>What the peers were asked for, a call a line.</summary>
    public string[] PeerCalls => File.ReadAllLines(Path.Combine(Folder, "calls"));

    public Task<BenchmarkSection> RunAsync(string id) =>
        BenchmarkRun
            .Parts(Context.Scale)
            .Single(part => part.Id == id)
            .RunAsync(Context, TestContext.Current.CancellationToken);

    /// <summary>A cell of a table, as a number.</summary>
    public static double Number(string cell) => double.Parse(cell.TrimEnd('%', ' '), CultureInfo.InvariantCulture);

    public void Dispose()
    {
        Context.Dispose();
        _folder.Delete(recursive: true);
    }

    private static string Repository
    {
        get
        {
            string folder = AppContext.BaseDirectory;
            while (!File.Exists(Path.Combine(folder, "Jobs.sln")))
            {
                folder = Path.GetDirectoryName(folder)!;
            }

            return folder;
        }
    }
}
