using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Layers;

/// <summary>
/// Keys and values of every layer in numbered slots, one slot a token: <c>[keys | values]</c>. A hypothesis is the list of
/// its tokens' slots, so beams share what they have in common and reordering them moves numbers only, never keys. One
/// cache holds the decoder's own tokens, another the source's.
/// </summary>
/// <remarks>
/// The memory is reserved at once; on the CPU the system provides a page when it is first written, and the slots that
/// were returned last are taken first, so that what is never needed is never paid for.
/// </remarks>
internal sealed unsafe class KeyValueCache : IDisposable
{
    private readonly Rows[] _layers;
    private readonly Stack<int> _returned = [];
    private int _untouched;

    /// <param name="layers">Layers of the decoder.</param>
    /// <param name="width">Width of a key, which is that of a value too.</param>
    /// <param name="capacity">Number of slots.</param>
    /// <param name="device">Device that holds them.</param>
    public KeyValueCache(int layers, int width, int capacity, Device device)
    {
        Width = width;
        Capacity = capacity;
        _layers = [.. Enumerable.Range(0, layers).Select(_ => new Rows(2 * width, device, capacity))];
    }

    /// <summary>Width of a key, which is that of a value too.</summary>
    public int Width { get; }

    public int Capacity { get; }

    /// <summary>Slots that nobody holds.</summary>
    public int Available => _returned.Count + Capacity - _untouched;

    /// <summary>Takes a slot.</summary>
    /// <exception cref="InvalidOperationException">All are taken: the caller admitted more than the budget allows.</exception>
    public int Take()
    {
        if (_returned.TryPop(out int slot))
        {
            return slot;
        }

        return _untouched < Capacity
            ? _untouched++
            : throw new InvalidOperationException($"All {Capacity} slots of the key/value cache are taken.");
    }

    /// <summary>Gives slots back. Nobody may refer to them any more.</summary>
    public void Return(ReadOnlySpan<int> slots)
    {
        for (int i = slots.Length - 1; i >= 0; i--)
        {
            _returned.Push(slots[i]);
        }
    }

    /// <summary>All slots of a layer: <c>[capacity, 2 · width]</c>.</summary>
    public Rows Layer(int layer) => _layers[layer];

    /// <summary>Stores <c>[keys | values]</c> of some tokens.</summary>
    public void Store(int layer, Rows keysAndValues, ReadOnlySpan<int> slots)
    {
        Rows memory = _layers[layer];
        if (keysAndValues.Width != memory.Width || keysAndValues.Count != slots.Length)
        {
            throw new ArgumentException(
                $"[{keysAndValues.Count}, {keysAndValues.Width}] doesn't fit {slots.Length} slots of {memory.Width}.",
                nameof(keysAndValues)
            );
        }

        if (memory.Pointer is null)
        {
            Tensor all = memory.Tensor;
            using DisposeScope scope = NewDisposeScope();
            all.index_copy_(0, tensor(slots.ToArray(), ScalarType.Int64, all.device), keysAndValues.Tensor);
            return;
        }

        Span<float> source = keysAndValues.Span;
        for (int i = 0; i < slots.Length; i++)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)slots[i], (uint)Capacity, nameof(slots));
            source.Slice(i * memory.Width, memory.Width).CopyTo(memory.Row(slots[i]));
        }
    }

    public void Dispose()
    {
        foreach (Rows layer in _layers)
        {
            layer.Dispose();
        }
    }
}
