using Seq2Seq.Inference.Generation;

namespace Seq2Seq.Jobs.Results;

/// <summary>Streams a job's results in input order, also while it runs: up to the first line that has none yet.</summary>
public sealed class ResultReader
{
    /// <param name="jobId">The job.</param>
    /// <param name="fromLine">The first line wanted, from 0.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public IAsyncEnumerable<LineResult> ReadAsync(Guid jobId, long fromLine, CancellationToken cancellationToken) =>
        throw new NotSupportedException();
}

/// <summary>The result of one line.</summary>
/// <param name="Line">Its number in the input, from 0.</param>
/// <param name="CustomId">The caller's own id, if given.</param>
/// <param name="Result">Outputs, or the error.</param>
public sealed record LineResult(long Line, string? CustomId, SequenceResult Result);

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

/// <summary>
/// The formats that ship: JSON Lines (<c>{"line", "custom_id", "outputs": [{"text", "token_ids", "score", "finish_reason"}]}</c> or
/// <c>{"line", "custom_id", "error": {"code", "message"}}</c>), CSV (with a header) and text (the best output of each line; an error is an empty line).
/// </summary>
public static class ResultFormats
{
    public static IReadOnlyList<IResultFormat> All => throw new NotSupportedException();
}
