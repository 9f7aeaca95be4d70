using System.Buffers;

namespace Seq2Seq.Jobs.Results;

/// <summary>How results reach a stream: in blocks, and at once whenever the next result is not there yet.</summary>
internal static class ResultWriting
{
    private const int BlockBytes = 32 * 1024;

    /// <param name="results">The results.</param>
    /// <param name="buffer">Where <paramref name="write"/> writes to.</param>
    /// <param name="stream">Where the buffer goes.</param>
    /// <param name="write">Writes one result.</param>
    /// <param name="cancellationToken">Ends the writing.</param>
    public static async Task WriteAsync(
        this IAsyncEnumerable<LineResult> results,
        ArrayBufferWriter<byte> buffer,
        Stream stream,
        Action<LineResult> write,
        CancellationToken cancellationToken
    )
    {
        await results.WriteAsync(
            async result =>
            {
                write(result);
                if (buffer.WrittenCount >= BlockBytes)
                {
                    await SendAsync(buffer, stream, cancellationToken);
                }
            },
            async () =>
            {
                await SendAsync(buffer, stream, cancellationToken);
                await stream.FlushAsync(cancellationToken);
            },
            cancellationToken
        );
    }

    /// <param name="results">The results.</param>
    /// <param name="writeAsync">Writes one result.</param>
    /// <param name="flushAsync">Lets the reader see what was written.</param>
    /// <param name="cancellationToken">Ends the writing.</param>
    public static async Task WriteAsync(
        this IAsyncEnumerable<LineResult> results,
        Func<LineResult, ValueTask> writeAsync,
        Func<Task> flushAsync,
        CancellationToken cancellationToken
    )
    {
        await using var enumerator = results.GetAsyncEnumerator(cancellationToken);
        while (true)
        {
            var next = enumerator.MoveNextAsync();
            if (!next.IsCompleted)
            {
                await flushAsync();
            }

            if (!await next)
            {
                break;
            }

            await writeAsync(enumerator.Current);
        }

        await flushAsync();
    }

    private static async ValueTask SendAsync(
        ArrayBufferWriter<byte> buffer,
        Stream stream,
        CancellationToken cancellationToken
    )
    {
        await stream.WriteAsync(buffer.WrittenMemory, cancellationToken);
        buffer.ResetWrittenCount();
    }
}
