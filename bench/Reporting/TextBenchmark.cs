namespace Seq2Seq.Bench.Reporting;

/// <summary>A benchmark that writes lines of its own; they stand on the page as they are.</summary>
internal sealed class TextBenchmark(string id, string title, Func<TextWriter, CancellationToken, Task> run) : IBenchmark
{
    public string Id => id;

    public string Title => title;

    public async Task<BenchmarkSection> RunAsync(BenchmarkContext context, CancellationToken cancellationToken)
    {
        await using StringWriter output = new();
        await run(output, cancellationToken);
        return new BenchmarkSection
        {
            Id = Id,
            Title = Title,
            Notes = [.. output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries)],
            IsVerbatim = true,
        };
    }
}
