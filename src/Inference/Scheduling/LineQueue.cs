using System.Diagnostics.CodeAnalysis;

namespace Seq2Seq.Inference.Scheduling;

/// <summary>
/// Lines that wait. Those of one caller leave in windows: a window is the next lines in order of arrival, and its longest
/// leave first, so that lines of similar length are encoded together and none waits for more than the windows before it.
/// Of several callers, every second line is the first caller's and every other that of the one with the fewest left: few
/// lines pass many, and nobody waits for ever. Thread-safe.
/// </summary>
internal sealed class LineQueue(int windowSize)
{
    private readonly Lock _lock = new();
    private readonly List<LineCall> _calls = [];
    private readonly Stack<LineRequest> _givenBack = new();
    private LineCall? _next;
    private bool _isFirstCallersTurn;
    private int _places;
    private volatile int _count;
    private bool _isClosed;

    /// <summary>Lines that wait.</summary>
    public int Count => _count;

    /// <param name="call">The caller's lines; the same object when they come in parts.</param>
    /// <param name="requests">Some of them.</param>
    /// <exception cref="ObjectDisposedException">The queue is closed.</exception>
    public void Add(LineCall call, IReadOnlyCollection<LineRequest> requests)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isClosed, typeof(SequenceModel));
            call.Place ??= _places++;
            if (!call.HasWaiting)
            {
                int behind = _calls.FindIndex(other => other.Place > call.Place);
                _calls.Insert(behind < 0 ? _calls.Count : behind, call);
            }

            foreach (LineRequest request in requests)
            {
                call.Add(request);
            }

            _count += requests.Count;
        }
    }

    /// <summary>Takes the next line if it fits; one that doesn't stays the next.</summary>
    public bool TryTake(Predicate<LineRequest> fits, [NotNullWhen(true)] out LineRequest? request)
    {
        lock (_lock)
        {
            if (_givenBack.TryPeek(out request))
            {
                if (fits(request))
                {
                    _givenBack.Pop();
                    _count--;
                    return true;
                }
            }
            else if (_calls.Count > 0)
            {
                LineCall call = _next ??= ChooseCall();
                request = call.Peek(windowSize);
                if (fits(request))
                {
                    Leave(call);
                    return true;
                }
            }

            request = null;
            return false;
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
                _givenBack.Push(request);
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
            List<LineRequest> waiting = [.. _givenBack, .. _calls.SelectMany(call => call.Waiting)];
            _givenBack.Clear();
            _calls.Clear();
            _next = null;
            _count = 0;
            return waiting;
        }
    }

    // The calls stand in order of arrival.
    private LineCall ChooseCall()
    {
        _isFirstCallersTurn = !_isFirstCallersTurn;
        return _isFirstCallersTurn ? _calls[0] : _calls.MinBy(call => call.Left)!;
    }

    private void Leave(LineCall call)
    {
        call.Pop();
        _count--;
        _next = null;
        if (!call.HasWaiting)
        {
            _calls.Remove(call);
        }
    }
}
