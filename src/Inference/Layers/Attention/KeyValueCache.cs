using static TorchSharp.torch;

namespace Seq2Seq.Inference.Layers.Attention;

/// <summary>
/// Keys and values of tokens, for every decoder layer: a pool of places that sequences take and give back. A token has one
/// location, the same in each layer; a sequence is a list of locations, so that beams share their common past and are
/// reordered by copying numbers. On the CPU the memory is reserved at once and costs nothing until it is written; places
/// that were written before are taken first. Grows by copying when even that is full.
/// </summary>
// Each layer is [capacity, key width + value width]: a token's key and value lie side by side, as the projection makes them.
internal sealed unsafe class KeyValueCache : IDisposable
{
    // Of devices whose memory is real from the start.
    private const int FirstCapacity = 256;

    private readonly Device _device;
    private readonly Tensor[] _layers;
    private readonly float*[] _pointers;
    private readonly List<(int Start, int Length)> _free = [];

    /// <param name="layers">Decoder layers.</param>
    /// <param name="width">Floats of a key and a value together.</param>
    /// <param name="device">Where they are kept.</param>
    /// <param name="expectedTokens">Tokens to reserve memory for; more than that are copied to a larger place.</param>
    public KeyValueCache(int layers, int width, Device device, int expectedTokens = FirstCapacity)
    {
        Width = width;
        _device = device;
        _layers = new Tensor[layers];
        _pointers = new float*[layers];
        Grow(device.type == TorchSharp.DeviceType.CPU ? Math.Max(expectedTokens, FirstCapacity) : FirstCapacity);
    }

    /// <summary>Floats of a key and a value together.</summary>
    public int Width { get; }

    /// <summary>Tokens that fit without growing.</summary>
    public int Capacity { get; private set; }

    /// <summary>Tokens that are taken.</summary>
    public int Taken { get; private set; }

    /// <summary>Bytes of a token in all layers.</summary>
    public long BytesPerToken => (long)Width * sizeof(float) * _layers.Length;

    /// <summary>Bytes of the tokens that are taken.</summary>
    public long TakenBytes => Taken * BytesPerToken;

    /// <summary>One layer as <c>[capacity, width]</c>; valid until the next <see cref="Take"/>.</summary>
    public Tensor Layer(int layer) => _layers[layer];

    /// <summary>One layer's first float on the CPU; valid until the next <see cref="Take"/>.</summary>
    public float* Pointer(int layer) => _pointers[layer];

    /// <summary>Places in a row on the CPU; valid until the next <see cref="Take"/>.</summary>
    public Span<float> Span(int layer, int start, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Capacity - start);
        return new Span<float>(_pointers[layer] + ((nint)start * Width), checked(count * Width));
    }

    /// <summary>Takes places for tokens, in a row.</summary>
    /// <returns>The first location.</returns>
    public int Take(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        for (int i = 0; i < _free.Count; i++)
        {
            (int start, int length) = _free[i];
            if (length < count)
            {
                continue;
            }

            if (length == count)
            {
                _free.RemoveAt(i);
            }
            else
            {
                _free[i] = (start + count, length - count);
            }

            Taken += count;
            return start;
        }

        Grow(checked(Capacity + Math.Max(Capacity, count)));
        return Take(count);
    }

    public void GiveBack(int start, int count)
    {
        Taken -= count;
        int place = _free.BinarySearch((start, 0));
        place = place < 0 ? ~place : place;
        bool joinsNext = place < _free.Count && start + count == _free[place].Start;
        if (place > 0 && _free[place - 1].Start + _free[place - 1].Length == start)
        {
            int length = _free[place - 1].Length + count + (joinsNext ? _free[place].Length : 0);
            _free[place - 1] = (_free[place - 1].Start, length);
            if (joinsNext)
            {
                _free.RemoveAt(place);
            }
        }
        else if (joinsNext)
        {
            _free[place] = (start, count + _free[place].Length);
        }
        else
        {
            _free.Insert(place, (start, count));
        }
    }

    public void Dispose()
    {
        foreach (Tensor layer in _layers)
        {
            layer.Dispose();
        }
    }

    private void Grow(int capacity)
    {
        for (int i = 0; i < _layers.Length; i++)
        {
            Tensor grown = empty(capacity, Width, dtype: ScalarType.Float32, device: _device).DetachFromDisposeScope();
            if (_layers[i] is { } old)
            {
                using Tensor kept = grown.narrow(0, 0, Capacity);
                kept.copy_(old);
                old.Dispose();
            }

            _layers[i] = grown;
            _pointers[i] = _device.type == TorchSharp.DeviceType.CPU ? grown.FloatPointer() : null;
        }

        int added = capacity - Capacity;
        Taken += added;
        Capacity = capacity;
        GiveBack(capacity - added, added);
    }
}
