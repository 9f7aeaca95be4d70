using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Layers;

/// <summary>
/// Sinusoidal positions without a longest one, sines in the first half of the vector and cosines in the second, wavelengths
/// from 2π to 10000 · 2π inclusive: those of tensor2tensor and fairseq (M2M100SinusoidalPositionalEmbedding of
/// transformers). The table grows with the largest row asked for. Belongs to one forward pass: not thread-safe.
/// </summary>
/// <param name="width">Width of a vector.</param>
/// <param name="paddingRow">The row that stands for padding and is zero; null: none.</param>
/// <param name="device">Where the vectors are added.</param>
/// <param name="stored">The first rows where a checkpoint has them, or null; stays the caller's.</param>
internal sealed class EndlessPositions(int width, int? paddingRow, Device device, Embedding? stored = null)
    : IDisposable
{
    private const int FirstCount = 512;

    private Embedding? _table;

    /// <summary>Adds the rows' vectors to <paramref name="output"/>.</summary>
    public void Add(ReadOnlySpan<int> rows, Rows output)
    {
        int last = 0;
        foreach (int row in rows)
        {
            last = Math.Max(last, row);
        }

        if (_table is null || last >= _table.Count)
        {
            int count = Math.Max(Math.Max(FirstCount, last + 1), 2 * (_table?.Count ?? 0));
            _table?.Dispose();
            _table = Create(Math.Max(count, stored?.Count ?? 0));
        }

        _table.Forward(rows, output, accumulate: true);
    }

    public void Dispose() => _table?.Dispose();

    private Embedding Create(int count)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor values = SinusoidalPositions.CreateInclusive(count, width, paddingRow, device);
        if (stored is not null)
        {
            Tensor rows = arange(stored.Count, ScalarType.Int64, device);
            values.narrow(0, 0, stored.Count).copy_(stored.Forward(rows));
        }

        return new Embedding(values);
    }
}
