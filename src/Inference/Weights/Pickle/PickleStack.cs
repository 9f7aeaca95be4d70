namespace Seq2Seq.Inference.Weights.Pickle;

/// <summary>
/// The memory of the pickle machine: a stack with marks, and the memo. What lies below the last mark is out of reach, and
/// everything that is ever put here is counted, so that no pickle can make it grow without end.
/// </summary>
internal sealed class PickleStack(PickleInput input)
{
    // A checkpoint with 50,000 tensors has about a million.
    private const int MaxObjects = 2_000_000;

    private readonly List<object?> _items = [];
    private readonly Stack<int> _marks = [];
    private readonly Dictionary<long, object?> _memo = [];
    private int _objects;

    private int Floor => _marks.TryPeek(out int mark) ? mark : 0;

    public void Push(object? value)
    {
        CountObject();
        _items.Add(value);
    }

    public void Mark()
    {
        CountObject();
        _marks.Push(_items.Count);
    }

    public object? Peek() => _items.Count > Floor ? _items[^1] : throw input.Refuse("the stack is empty");

    public object? Pop()
    {
        object? top = Peek();
        _items.RemoveAt(_items.Count - 1);
        return top;
    }

    /// <summary>The topmost items, the lowest first.</summary>
    public object?[] Pop(int count)
    {
        int start = _items.Count - count;
        return start >= Floor ? Cut(start) : throw input.Refuse("the stack is empty");
    }

    /// <summary>The items above the last mark, which goes with them.</summary>
    public object?[] PopToMark() =>
        _marks.TryPop(out int mark) ? Cut(mark) : throw input.Refuse("there is no MARK to go back to");

    /// <summary>Keeps the topmost item under the next number.</summary>
    public void Memoize() => Memoize(_memo.Count);

    public void Memoize(long index)
    {
        CountObject();
        _memo[index] = Peek();
    }

    public object? Recall(long index) =>
        _memo.TryGetValue(index, out object? value) ? value : throw input.Refuse($"the memo has no entry {index}");

    public void CountObject()
    {
        if (++_objects > MaxObjects)
        {
            throw input.Refuse($"it holds more than {MaxObjects} objects");
        }
    }

    private object?[] Cut(int start)
    {
        object?[] items = [.. _items[start..]];
        _items.RemoveRange(start, _items.Count - start);
        return items;
    }
}
