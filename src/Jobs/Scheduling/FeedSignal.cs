using System.Threading.Channels;

namespace Seq2Seq.Jobs.Scheduling;

/// <summary>Tells this process's feeder that there may be something to feed. Any number of signals before it looks count as one.</summary>
internal sealed class FeedSignal(TimeProvider time)
{
    private readonly Channel<bool> _signal = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite }
    );

    public void Set() => _signal.Writer.TryWrite(true);

    /// <summary>Returns when signalled, or when the time has passed.</summary>
    /// <returns>Whether it was signalled.</returns>
    public async Task<bool> WaitAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var waiting = new CancellationTokenSource(timeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(waiting.Token, cancellationToken);
        try
        {
            return await _signal.Reader.ReadAsync(both.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }
}
