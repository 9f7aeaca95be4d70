using System.Threading.Channels;

namespace Seq2Seq.Api.CommandLine.Lines;

/// <summary>
/// Reads lines, answers many batches at once, and writes the answers in the order of the lines. What is in flight is bounded,
/// so a file of any size takes the same memory.
/// </summary>
internal static class LinePipeline
{
    private const int BatchesInFlight = 16;
    private static readonly byte[] LineBreak = "\n"u8.ToArray();

    public static async Task<LineCounts> RunAsync(
        Stream input,
        Stream output,
        Func<IReadOnlyList<InputLine>, CancellationToken, Task<LineAnswer[]>> answer,
        CancellationToken cancellationToken
    )
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var batches = Channel.CreateBounded<Task<LineAnswer[]>>(
            new BoundedChannelOptions(BatchesInFlight) { SingleReader = true, SingleWriter = true }
        );
        Task reading = ReadAsync(input, answer, batches.Writer, stopping.Token);
        try
        {
            LineCounts counts = await WriteAsync(output, batches.Reader, stopping.Token);
            await reading;
            return counts;
        }
        finally
        {
            // A failed write or batch must not leave the reader waiting for room.
            await stopping.CancelAsync();
            await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task ReadAsync(
        Stream input,
        Func<IReadOnlyList<InputLine>, CancellationToken, Task<LineAnswer[]>> answer,
        ChannelWriter<Task<LineAnswer[]>> batches,
        CancellationToken cancellationToken
    )
    {
        Exception? failure = null;
        try
        {
            await foreach (IReadOnlyList<InputLine> lines in LineReader.ReadAsync(input, cancellationToken))
            {
                await batches.WriteAsync(
                    Task.Run(() => answer(lines, cancellationToken), cancellationToken),
                    cancellationToken
                );
            }
        }
        catch (Exception e)
        {
            failure = e;
            throw;
        }
        finally
        {
            batches.Complete(failure);
        }
    }

    private static async Task<LineCounts> WriteAsync(
        Stream output,
        ChannelReader<Task<LineAnswer[]>> batches,
        CancellationToken cancellationToken
    )
    {
        var counts = new LineCounts(0, 0);
        await foreach (Task<LineAnswer[]> batch in batches.ReadAllAsync(cancellationToken))
        {
            foreach (LineAnswer line in await batch)
            {
                await output.WriteAsync(line.Utf8, cancellationToken);
                await output.WriteAsync(LineBreak, cancellationToken);
                counts = new LineCounts(counts.Lines + 1, counts.Failed + (line.Failed ? 1 : 0));
            }

            await output.FlushAsync(cancellationToken);
        }

        return counts;
    }
}

/// <summary>Lines answered, and how many of the answers are errors.</summary>
internal sealed record LineCounts(long Lines, long Failed);
