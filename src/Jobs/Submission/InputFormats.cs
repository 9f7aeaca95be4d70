namespace Seq2Seq.Jobs.Submission;

/// <summary>A file format of inputs. A new one is one file here and its line in <see cref="InputFormats"/>.</summary>
public interface IInputFormat
{
    /// <summary>Such as <c>text</c> or <c>jsonl</c>.</summary>
    string Name { get; }

    /// <summary>Media types that announce the format, such as <c>text/plain</c>.</summary>
    IReadOnlyList<string> ContentTypes { get; }

    /// <summary>File name endings that announce the format, such as <c>.txt</c>.</summary>
    IReadOnlyList<string> Extensions { get; }

    /// <summary>Reads lines as they arrive, from a plain, gzip or zstd stream. A line that can't be read is a line with an error.</summary>
    /// <exception cref="SubmissionException">The stream as a whole can't be read: broken compression, or no lines at all in sight.</exception>
    IAsyncEnumerable<SourceLine> ReadAsync(Stream stream, CancellationToken cancellationToken);
}

/// <summary>The formats that ship: text (a line each) and JSON Lines (<c>{"custom_id", "text" | "input_ids"}</c>).</summary>
public static class InputFormats
{
    public static IReadOnlyList<IInputFormat> All { get; } = [new TextInput(), new JsonLinesInput()];
}
