namespace Seq2Seq.Jobs.Results;

/// <summary>A file format of results. A new one is one file here and its line in <see cref="ResultFormats"/>.</summary>
public interface IResultFormat
{
    /// <summary>Such as <c>jsonl</c>, <c>csv</c> or <c>text</c>.</summary>
    string Name { get; }

    string ContentType { get; }

    string Extension { get; }

    /// <summary>Writes as results come, flushing often enough that a reader sees progress.</summary>
    Task WriteAsync(IAsyncEnumerable<LineResult> results, Stream stream, CancellationToken cancellationToken);
}

/// <summary>The formats that ship.</summary>
public static class ResultFormats
{
    public static IReadOnlyList<IResultFormat> All { get; } =
    [new JsonLinesResults(), new CsvResults(), new TextResults()];
}
