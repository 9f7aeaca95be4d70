using Seq2Seq.Inference.Generation;

namespace Seq2Seq.Jobs.Execution;

/// <summary>
/// Runs a few short lines through a model: after loading, to warm it up, to measure it and to see that it can generate at
/// all; after a shard failed, to tell a shard at fault from a device at fault.
/// </summary>
internal sealed class ModelProbe(TimeProvider time)
{
    // Even a large model on a slow device generates eight tokens in this time.
    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(2);

    private static readonly SequenceInput[] _lines =
    [
        .. Enumerable
            .Range(1, 8)
            .Select(words => SequenceInput.FromText(string.Join(' ', Enumerable.Repeat("test", words)))),
    ];

    private static readonly GenerationParameters _parameters = new() { NumBeams = 1, MaxNewTokens = 8 };

    /// <returns>Lines a second; null when every line's result is an error.</returns>
    /// <exception cref="Exception">The model can't generate.</exception>
    public async Task<double?> MeasureAsync(LoadedModel model, CancellationToken cancellationToken)
    {
        // Twice: the first call also allocates.
        await RunAsync(model, cancellationToken);
        var start = time.GetTimestamp();
        var results = await RunAsync(model, cancellationToken);
        double seconds = time.GetElapsedTime(start).TotalSeconds;
        int generated = results.Count(result => result.Error is null);
        return generated == 0 || seconds <= 0 ? null : generated / seconds;
    }

    /// <returns>What is wrong with the model; null when it still generates.</returns>
    public async Task<Exception?> FindFaultAsync(LoadedModel model, CancellationToken cancellationToken)
    {
        try
        {
            await RunAsync(model, cancellationToken);
            return null;
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            return exception;
        }
    }

    private Task<IReadOnlyList<SequenceResult>> RunAsync(LoadedModel model, CancellationToken cancellationToken) =>
        model.Generate(_lines, _parameters, cancellationToken).WaitAsync(_patience, time, cancellationToken);
}
