using System.Buffers;
using System.Text;

namespace Seq2Seq.Jobs.Results;

/// <summary>
/// Text: one line for each source line, its best output. A line without one (an error, or cancelled before its turn) is an
/// empty line, and a line break inside an output becomes a space, so that line n of the results belongs to line n of the input.
/// It has no place to say that a source was cut.
/// </summary>
internal sealed class TextResults : IResultFormat
{
    public string Name => "text";

    public string ContentType => "text/plain; charset=utf-8";

    public string Extension => ".txt";

    public async Task WriteAsync(
        IAsyncEnumerable<LineResult> results,
        Stream stream,
        CancellationToken cancellationToken
    )
    {
        var buffer = new ArrayBufferWriter<byte>();
        long? next = null;
        await results.WriteAsync(
            buffer,
            stream,
            result =>
            {
                for (long missing = next ?? result.Line; missing < result.Line; missing++)
                {
                    buffer.Write("\n"u8);
                }

                Write(buffer, result);
                next = result.Line + 1;
            },
            cancellationToken
        );
    }

    private static void Write(ArrayBufferWriter<byte> buffer, LineResult result)
    {
        string text = result.Result.Outputs is [var best, ..] ? best.Text ?? "" : "";
        Encoding.UTF8.GetBytes(text.ReplaceLineEndings(" "), buffer);
        buffer.Write("\n"u8);
    }
}
