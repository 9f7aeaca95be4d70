using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace Seq2Seq.Api.CommandLine.Lines;

/// <summary>
/// Reads a stream of JSON Lines in batches of the lines that have arrived together, so that files go in large batches and a
/// pipe is answered as it is fed. Holds one read buffer and one batch, whatever the file's size. Blank lines are skipped (and
/// counted in the numbers); a line beyond <see cref="MaxLineBytes"/> is passed over and marked.
/// </summary>
internal static class LineReader
{
    public const int MaxLineBytes = 16 * 1024 * 1024;

    private const int MaxBatchLines = 256;
    private const int ReadBytes = 256 * 1024;

    private static readonly byte[] ByteOrderMark = [0xEF, 0xBB, 0xBF];

    public static async IAsyncEnumerable<IReadOnlyList<InputLine>> ReadAsync(
        Stream stream,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var pipe = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: ReadBytes, leaveOpen: true));
        var batch = new List<InputLine>(MaxBatchLines);
        long number = 0;
        bool skipping = false;
        while (true)
        {
            // A read of standard input can't be cancelled, only abandoned (with its buffer: hence no Complete then).
            ReadResult read = await pipe.ReadAsync(cancellationToken).AsTask().WaitAsync(cancellationToken);
            ReadOnlySequence<byte> rest = read.Buffer;
            while (rest.PositionOf((byte)'\n') is { } end)
            {
                Add(batch, rest.Slice(0, end), number++, ref skipping);
                rest = rest.Slice(rest.GetPosition(1, end));
                if (batch.Count == MaxBatchLines)
                {
                    yield return batch;
                    batch = new List<InputLine>(MaxBatchLines);
                }
            }

            if (read.IsCompleted)
            {
                if (!rest.IsEmpty || skipping)
                {
                    Add(batch, rest, number, ref skipping);
                }

                await pipe.CompleteAsync();
                if (batch.Count > 0)
                {
                    yield return batch;
                }

                yield break;
            }

            if (rest.Length > MaxLineBytes)
            {
                skipping = true;
                rest = rest.Slice(rest.End);
            }

            pipe.AdvanceTo(rest.Start, read.Buffer.End);
            if (batch.Count > 0)
            {
                yield return batch;
                batch = new List<InputLine>(MaxBatchLines);
            }
        }
    }

    private static void Add(List<InputLine> batch, ReadOnlySequence<byte> line, long number, ref bool skipping)
    {
        if (skipping || line.Length > MaxLineBytes)
        {
            skipping = false;
            batch.Add(new InputLine(number, [], TooLong: true));
            return;
        }

        byte[] bytes = line.ToArray();
        ReadOnlySpan<byte> trimmed = bytes.AsSpan().Trim(" \t\r"u8);
        if (number == 0 && trimmed.StartsWith(ByteOrderMark))
        {
            trimmed = trimmed[ByteOrderMark.Length..];
        }

        if (!trimmed.IsEmpty)
        {
            batch.Add(
                new InputLine(number, trimmed.Length == bytes.Length ? bytes : trimmed.ToArray(), TooLong: false)
            );
        }
    }
}
