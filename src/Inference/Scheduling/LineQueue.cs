using System.Diagnostics.CodeAnalysis;

namespace Seq2Seq.Inference.Scheduling;

/// <summary>
/// Lines that wait. They leave in windows: a window is the next lines in order of arrival, and its longest leave first, so
/// that lines of similar length are encoded together and none waits for more than the windows before it. Thread-safe.
/// </summary>
internal sealed class LineQueue(int windowSize)
{
    private readonly Lock _lock = new();
    private readonly Queue<LineRequest> _arrived = new();
    private readonly Stack<LineRequest> _window = new();
    private volatile int _count;
    private bool _isClosed;

    /// <summary>Lines that wait.</summary>
    public int Count => _count;

    /// <exception cref="ObjectDisposedException">The queue is closed.</exception>
    public void Add(IReadOnlyCollection<LineRequest> requests)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isClosed, typeof(SequenceModel));
            foreach (LineRequest request in requests)
            {
                _arrived.Enqueue(request);
            }

            _count += requests.Count;
        }
    }

    /// <summary>Takes the next line if it fits; one that doesn't stays the next.</summary>
    public bool TryTake(Predicate<LineRequest> fits, [NotNullWhen(true)] out LineRequest? request)
    {
        lock (_lock)
        {
            if (_window.Count == 0)
            {
                OpenWindow();
            }

            if (!_window.TryPeek(out request) || !fits(request))
            {
                request = null;
                return false;
            }

            _count--;
            _window.Pop();
            return true;
        }
    }

    /// <summary>Makes a line the next again.</summary>
    /// <returns>False when the queue is closed.</returns>
    public bool TryGiveBack(LineRequest request)
    {
        lock (_lock)
        {
            if (!_isClosed)
            {
                _window.Push(request);
                _count++;
            }

            return !_isClosed;
        }
    }

    /// <summary>Refuses further lines, and gives back those that wait.</summary>
    public IReadOnlyList<LineRequest> Close()
    {
        lock (_lock)
        {
            _isClosed = true;
            List<LineRequest> waiting = [.. _window, .. _arrived];
            _window.Clear();
            _arrived.Clear();
            _count = 0;
            return waiting;
        }
    }

    private void OpenWindow()
    {
        List<LineRequest> next = [];
        while (next.Count < windowSize && _arrived.TryDequeue(out LineRequest? arrived))
        {
            next.Add(arrived);
        }

        // The last pushed is the first to leave; of equal lengths the one that came first.
        next.Reverse();
        foreach (LineRequest request in next.OrderBy(request => request.Source.Count))
        {
            _window.Push(request);
        }
    }
}
