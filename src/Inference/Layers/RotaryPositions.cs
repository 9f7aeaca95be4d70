using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Layers;

/// <summary>
/// Rotary position embedding (Su et al. 2021, arXiv 2104.09864) on the halves of each head, as <c>apply_rotary_pos_emb</c> of
/// transformers does it. The tables of sines and cosines grow with the longest sequence seen. Belongs to one forward pass:
/// not thread-safe.
/// </summary>
/// <param name="headWidth">Width of one head, even.</param>
/// <param name="theta">Base of the wavelengths.</param>
/// <param name="factor">What positions are divided by (linear scaling).</param>
/// <param name="device">Where rows are.</param>
internal sealed unsafe class RotaryPositions(int headWidth, double theta, double factor, Device device) : IDisposable
{
    private const int FirstReach = 256;

    private readonly int _half = headWidth / 2;
    private int _reach;
    private Tensor? _cosines;
    private Tensor? _sines;

    /// <summary>Turns the heads in some columns of each row by its position.</summary>
    /// <param name="rows"><c>[rows, …]</c>, changed in place.</param>
    /// <param name="column">First column of the first head.</param>
    /// <param name="heads">Heads, side by side.</param>
    /// <param name="positions"><c>[rows]</c></param>
    public void Apply(Rows rows, int column, int heads, ReadOnlySpan<int> positions)
    {
        Reach(positions);
        if (rows.Pointer is null)
        {
            ApplyOnDevice(rows.Tensor, column, heads, positions);
            return;
        }

        float* cosines = _cosines!.FloatPointer();
        float* sines = _sines!.FloatPointer();
        for (int row = 0; row < rows.Count; row++)
        {
            float* cosine = cosines + ((nint)positions[row] * _half);
            float* sine = sines + ((nint)positions[row] * _half);
            float* head = rows.Pointer + ((nint)row * rows.Width) + column;
            for (int i = 0; i < heads; i++, head += headWidth)
            {
                for (int j = 0; j < _half; j++)
                {
                    float first = head[j];
                    float second = head[j + _half];
                    head[j] = (first * cosine[j]) - (second * sine[j]);
                    head[j + _half] = (second * cosine[j]) + (first * sine[j]);
                }
            }
        }
    }

    public void Dispose()
    {
        _cosines?.Dispose();
        _sines?.Dispose();
    }

    private void ApplyOnDevice(Tensor rows, int column, int heads, ReadOnlySpan<int> positions)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor columns = rows.narrow(1, column, heads * headWidth);
        Tensor places = tensor(positions.ToArray(), device: device);
        Tensor cosine = _cosines!.index_select(0, places).unsqueeze(1);
        Tensor sine = _sines!.index_select(0, places).unsqueeze(1);
        Tensor[] halves = columns.reshape(positions.Length, heads, headWidth).chunk(2, 2);
        Tensor turned = cat([(halves[0] * cosine) - (halves[1] * sine), (halves[1] * cosine) + (halves[0] * sine)], 2);
        columns.copy_(turned.view(positions.Length, -1));
    }

    // On torch's operators, so that float32 rounds as in the reference.
    private void Reach(ReadOnlySpan<int> positions)
    {
        int last = 0;
        foreach (int position in positions)
        {
            last = Math.Max(last, position);
        }

        if (last < _reach)
        {
            return;
        }

        Dispose();
        _reach = Math.Max(last + 1, Math.Max(FirstReach, 2 * _reach));
        using DisposeScope scope = NewDisposeScope();
        Tensor exponents = arange(0, headWidth, 2, ScalarType.Float32) / headWidth;
        Tensor frequencies = 1 / pow(theta, exponents) / factor;
        Tensor angles = arange(_reach, ScalarType.Float32).unsqueeze(1) * frequencies.unsqueeze(0);
        _cosines = angles.cos().to(device).DetachFromDisposeScope();
        _sines = angles.sin().to(device).DetachFromDisposeScope();
    }
}
