using System.Buffers;

namespace Seq2Seq.Inference.Tokenization.SentencePiece;

/// <summary>A growing list in rented memory. Dispose gives it back.</summary>
internal ref struct PooledList<T>(int capacity)
    where T : struct
{
    private T[] _items = ArrayPool<T>.Shared.Rent(capacity);

    public int Count { get; private set; }

    public readonly Span<T> Span => _items.AsSpan(0, Count);

    public void Add(T item)
    {
        if (Count == _items.Length)
            Grow(1);
        _items[Count++] = item;
    }

    public void AddRange(ReadOnlySpan<T> items)
    {
        if (items.Length > _items.Length - Count)
            Grow(items.Length);
        items.CopyTo(_items.AsSpan(Count));
        Count += items.Length;
    }

    public void Truncate(int count) => Count = count;

    public readonly void Dispose() => ArrayPool<T>.Shared.Return(_items);

    private void Grow(int more)
    {
        var larger = ArrayPool<T>.Shared.Rent(Math.Max(_items.Length * 2, Count + more));
        Span.CopyTo(larger);
        ArrayPool<T>.Shared.Return(_items);
        _items = larger;
    }
}
