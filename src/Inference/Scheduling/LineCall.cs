namespace Seq2Seq.Inference.Scheduling;

/// <summary>One caller's lines: those that wait in a <see cref="LineQueue"/>, whose lock guards them, and those to come.</summary>
/// <param name="lines">Lines that the caller has in all.</param>
internal sealed class LineCall(int lines)
{
    private readonly Queue<LineRequest> _arrived = new();
    private readonly Stack<LineRequest> _window = new();

    /// <summary>About how many have not left yet, those that are still to be handed over among them.</summary>
    public int Left { get; private set; } = lines;

    /// <summary>Its place in the order of arrival; null before its first line.</summary>
    public int? Place { get; set; }

    public bool HasWaiting => _window.Count + _arrived.Count > 0;

    /// <summary>Those that wait.</summary>
    public IEnumerable<LineRequest> Waiting => [.. _window, .. _arrived];

    public void Add(LineRequest request) => _arrived.Enqueue(request);

    /// <summary>The line that leaves next; there must be one.</summary>
    public LineRequest Peek(int windowSize)
    {
        if (_window.Count == 0)
        {
            OpenWindow(windowSize);
        }

        return _window.Peek();
    }

    /// <summary>Lets the line go that <see cref="Peek"/> has named.</summary>
    public void Pop()
    {
        _window.Pop();
        Left--;
    }

    private void OpenWindow(int size)
    {
        List<LineRequest> next = [];
        while (next.Count < size && _arrived.TryDequeue(out LineRequest? arrived))
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
