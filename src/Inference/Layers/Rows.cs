using Seq2Seq.Inference.Layers.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Layers;

/// <summary>
/// Working memory of a forward pass: float32 vectors <c>[count, width]</c>, filled anew in every step. A row is a token of
/// the encoder's lines, laid end to end without padding, or a hypothesis of the decoder. The memory only grows, so a
/// running batch soon allocates nothing.
/// </summary>
/// <remarks>Kernels on the CPU use <see cref="Pointer"/>; torch's operators, on every device, use <see cref="Tensor"/>.</remarks>
internal sealed unsafe class Rows : IDisposable
{
    private readonly Device _device;
    private Tensor? _memory;
    private Tensor? _view;
    private long _capacity;

    public Rows(int width, Device device, int count = 0)
    {
        Width = width;
        _device = device;
        Resize(count);
    }

    public int Width { get; }

    public int Count { get; private set; }

    /// <summary>Whether a ReLU wrote the rows, so that many values may be zero: a hint for the kernel that reads them next.</summary>
    public bool IsRectified { get; set; }

    /// <summary>First value of the first row; null on other devices than the CPU. Valid until the next <see cref="Resize"/>.</summary>
    public float* Pointer { get; private set; }

    /// <summary>The rows as <c>[count, width]</c>, on the same memory. Owned by this object; valid until the next <see cref="Resize"/>.</summary>
    public Tensor Tensor => _view ??= _memory!.narrow(0, 0, Count).DetachFromDisposeScope();

    /// <summary>The values on the CPU.</summary>
    public Span<float> Span => new(Pointer, checked(Count * Width));

    /// <summary>One row on the CPU.</summary>
    public Span<float> Row(int index) => new(Pointer + ((nint)index * Width), Width);

    /// <summary>Some rows on the CPU.</summary>
    public Span<float> Slice(int start, int count) => new(Pointer + ((nint)start * Width), checked(count * Width));

    /// <summary>Sets the count. What the rows hold is undefined until they are written.</summary>
    public void Resize(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        if (count == Count && _memory is not null)
        {
            return;
        }

        _view?.Dispose();
        _view = null;
        Count = count;
        if (_memory is null || count > _capacity)
        {
            _capacity = Math.Max(count, _capacity + (_capacity / 2));
            _memory?.Dispose();
            _memory = empty(_capacity, Width, dtype: ScalarType.Float32, device: _device).DetachFromDisposeScope();
            Pointer = _device.type == DeviceType.CPU ? _memory.FloatPointer() : null;
        }
    }

    /// <summary>Sets the count to another block's, whose width must be this one's and the one expected.</summary>
    public void ResizeAs(Rows other, int expectedWidth)
    {
        if (other.Width != expectedWidth || Width != expectedWidth)
        {
            throw new ArgumentException(
                $"Expected rows of width {expectedWidth}; found {other.Width} and {Width}.",
                nameof(other)
            );
        }

        Resize(other.Count);
    }

    /// <summary>Adds another block of the same shape, as a residual connection does.</summary>
    public void Add(Rows other)
    {
        if (other.Width != Width || other.Count != Count)
        {
            throw new ArgumentException(
                $"Expected [{Count}, {Width}]; found [{other.Count}, {other.Width}].",
                nameof(other)
            );
        }

        if (Pointer is null)
        {
            Tensor.add_(other.Tensor);
            return;
        }

        Elementwise.Scale(other.Pointer, factor: 1, Pointer, checked(Count * Width), accumulate: true);
    }

    /// <summary>Multiplies every value.</summary>
    public void Multiply(float factor)
    {
        if (Pointer is null)
        {
            Tensor.mul_(factor);
            return;
        }

        Elementwise.Scale(Pointer, factor, Pointer, checked(Count * Width), accumulate: false);
    }

    public void Dispose()
    {
        _view?.Dispose();
        _memory?.Dispose();
        _memory = null;
        Pointer = null;
    }
}
