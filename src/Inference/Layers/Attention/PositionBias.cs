using Seq2Seq.Inference.Layers.Kernels;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Layers.Attention;

/// <summary>
/// What is added to attention scores, for each head, by the distance from query to key. The table reaches as far as the
/// longest sequence seen so far and grows with it. Belongs to one forward pass: not thread-safe.
/// </summary>
internal sealed unsafe class PositionBias : IDisposable
{
    private const int FirstReach = 128;

    private readonly Func<Tensor, Tensor> _biasOf;
    private readonly Device _device;
    private Tensor? _table;
    private float* _pointer;
    private int _reach;

    /// <param name="biasOf">From distances <c>[n]</c> (key − query, int64) to biases <c>[n, heads]</c>.</param>
    /// <param name="device">Where they are added.</param>
    public PositionBias(Func<Tensor, Tensor> biasOf, Device device)
    {
        _biasOf = biasOf;
        _device = device;
    }

    /// <summary>Biases of all heads at distance 0, on the CPU; those of the next distance lie <see cref="Stride"/> floats further.</summary>
    public float* AtZero => _pointer + ((nint)_reach * Stride);

    /// <summary>Heads, filled up to whole vectors.</summary>
    public int Stride { get; private set; }

    /// <summary>All biases as <c>[2 reach + 1, heads]</c>, distance −reach first; filled up with zeros on the right.</summary>
    public Tensor Table => _table!;

    /// <summary>Makes the table cover sequences of this length.</summary>
    /// <returns>The distance that it reaches.</returns>
    public int Reach(int length)
    {
        if (_table is null || length > _reach)
        {
            _reach = Math.Max(length, Math.Max(FirstReach, 2 * _reach));
            _table?.Dispose();
            using Tensor distances = arange(-_reach, _reach + 1, dtype: ScalarType.Int64, device: _device);
            using Tensor biases = _biasOf(distances);
            Stride = AttentionKernel.PadHeads((int)biases.shape[1]);
            _table = nn.functional.pad(biases, [0, Stride - biases.shape[1]]).DetachFromDisposeScope();
            _pointer = _device.type == TorchSharp.DeviceType.CPU ? _table.FloatPointer() : null;
        }

        return _reach;
    }

    public void Dispose() => _table?.Dispose();
}
