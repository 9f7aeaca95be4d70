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
    public async Task WaitAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var waiting = new CancellationTokenSource(timeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(waiting.Token, cancellationToken);
        try
        {
            await _signal.Reader.ReadAsync(both.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // Nobody signalled in time.
        }
    }
}
