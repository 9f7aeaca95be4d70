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

    /// <summary>
    /// One head's biases on the CPU for a query at <paramref name="position"/>, indexed by the key's position. Call
    /// <see cref="Reach"/> first.
    /// </summary>
    public float* Of(int head, int position) => _pointer + ((nint)head * ((2 * _reach) + 1)) + _reach - position;

    /// <summary>All biases as <c>[heads, 2 reach + 1]</c>, distance −reach first.</summary>
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
            using Tensor transposed = biases.t();
            _table = transposed.contiguous().DetachFromDisposeScope();
            _pointer = _device.type == TorchSharp.DeviceType.CPU ? _table.FloatPointer() : null;
        }

        return _reach;
    }

    public void Dispose() => _table?.Dispose();
}
