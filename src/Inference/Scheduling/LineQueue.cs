using System.Diagnostics.CodeAnalysis;

namespace Seq2Seq.Inference.Scheduling;

/// <summary>
/// Lines that wait. They leave in windows: a window is the next lines in order of arrival, and its longest leave first, so
/// that lines of similar length are encoded together and none waits for more than the windows before it. Any thread may
/// add; one loop takes.
/// </summary>
internal sealed class LineQueue(int windowSize)
{
    private readonly Lock _lock = new();
    private readonly Queue<LineRequest> _arrived = new();
    private readonly List<LineRequest> _window = [];
    private bool _isClosed;

    public void Add(IEnumerable<LineRequest> requests)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isClosed, this);
            foreach (LineRequest request in requests)
            {
                _arrived.Enqueue(request);
            }
        }
    }

    /// <summary>Lines that wait, about.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _arrived.Count + _window.Count;
            }
        }
    }

    /// <summary>The next line, which stays until <see cref="Take"/>.</summary>
    public bool TryPeek([NotNullWhen(true)] out LineRequest? request)
    {
        lock (_lock)
        {
            if (_window.Count == 0)
            {
                while (_window.Count < windowSize && _arrived.TryDequeue(out LineRequest? arrived))
                {
                    _window.Add(arrived);
                }

                // The last is the next; of equal lengths the first that came.
                _window.Reverse();
                List<LineRequest> sorted = [.. _window.OrderBy(waiting => waiting.Source.Count)];
                _window.Clear();
                _window.AddRange(sorted);
            }

            request = _window.Count > 0 ? _window[^1] : null;
            return request is not null;
        }
    }

    /// <summary>Takes the line that <see cref="TryPeek"/> showed.</summary>
    public void Take()
    {
        lock (_lock)
        {
            _window.RemoveAt(_window.Count - 1);
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
            return waiting;
        }
    }
}
