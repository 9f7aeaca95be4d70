namespace Seq2Seq.Inference.Tests.Fuzzing;

/// <summary>
/// Whatever a stranger's file or text is, it is read or refused by a documented code: no other exception, no hang, no memory out
/// of proportion, nothing left behind. Here a few inputs for every target; <c>tests/fuzz</c> looks for long. Inputs that failed once
/// are kept in Data/fuzz, a folder for each target, and tried every time.
/// </summary>
public sealed class FuzzTests(ITestOutputHelper output)
{
    private static string Corpus { get; } = Path.Join(AppContext.BaseDirectory, "Data", "fuzz");

    public static TheoryData<string> Kinds => [.. FuzzTargets.Kinds];

    /// <summary>Kept inputs, relative to the corpus: the target's name and the file's.</summary>
    public static TheoryData<string> Kept =>
        [
            .. Directory
                .EnumerateFiles(Corpus, "*", SearchOption.AllDirectories)
                .Select(path => Path.GetRelativePath(Corpus, path))
                .Order(StringComparer.Ordinal),
        ];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Whatever_it_is_it_is_read_or_refused(string kind)
    {
        FuzzOptions options = FuzzOptions.Read();
        FuzzTarget[] targets =
        [
            .. FuzzTargets.Of(kind).Where(target => target.Name.Contains(options.Only, StringComparison.Ordinal)),
        ];
        try
        {
            IReadOnlyList<FuzzFind> finds = await new FuzzRun(options, output.WriteLine).SearchAsync(
                targets,
                options.Limit / FuzzTargets.Kinds.Count
            );
            finds.Should().BeEmpty("what once failed goes into Data/fuzz, once it is mended");
        }
        finally
        {
            Array.ForEach(targets, target => target.Dispose());
        }
    }

    [Theory]
    [MemberData(nameof(Kept))]
    public async Task What_failed_once_is_read_or_refused(string kept)
    {
        string name = Path.GetDirectoryName(kept)!;
        FuzzTarget[] targets = [.. FuzzTargets.Of(name.Split('/')[0])];
        try
        {
            FuzzTarget target = targets.Should().ContainSingle(target => target.Name == name).Which;

            IReadOnlyList<FuzzFind> finds = await new FuzzRun(FuzzOptions.Read(), output.WriteLine).ReplayAsync(
                target,
                await File.ReadAllBytesAsync(Path.Join(Corpus, kept), TestContext.Current.CancellationToken)
            );
            finds.Should().BeEmpty();
        }
        finally
        {
            Array.ForEach(targets, target => target.Dispose());
        }
    }
}
