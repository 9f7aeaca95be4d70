using static TorchSharp.torch;

namespace Seq2Seq.Inference.Layers;

/// <summary>A table of vectors looked up by id, optionally scaled (<c>sqrt(d_model)</c> in Marian and some BART models).</summary>
internal sealed unsafe class Embedding(Tensor weight, double scale = 1) : IDisposable
{
    private readonly Tensor _weight = weight.alias().DetachFromDisposeScope();

    /// <summary>Number of ids.</summary>
    public int Count { get; } = (int)weight.shape[0];

    /// <summary>Width of a vector.</summary>
    public int Width { get; } = (int)weight.shape[1];

    /// <summary>Ids <c>[…]</c> (int64 or int32) → vectors <c>[…, width]</c>.</summary>
    public Tensor Forward(Tensor ids)
    {
        using Tensor flat = ids.flatten();
        using Tensor rows = _weight.index_select(0, flat);
        Tensor vectors = rows.view([.. ids.shape, Width]);
        return scale == 1 ? vectors : vectors.mul_(scale);
    }

    /// <summary>Writes the vector of each id to its row of <paramref name="output"/>, which is resized.</summary>
    public void Forward(ReadOnlySpan<int> ids, Rows output)
    {
        output.Resize(ids.Length);
        if (!output.IsOnCpu)
        {
            using Tensor indices = tensor(ids.ToArray(), device: output.Tensor.device);
            using Tensor vectors = Forward(indices);
            output.Tensor.copy_(vectors);
            return;
        }

        float* table = _weight.FloatPointer();
        for (int row = 0; row < ids.Length; row++)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)ids[row], (uint)Count, nameof(ids));
            Copy(new ReadOnlySpan<float>(table + ((nint)ids[row] * Width), Width), output.Row(row));
        }
    }

    public void Dispose() => _weight.Dispose();

    private void Copy(ReadOnlySpan<float> vector, Span<float> row)
    {
        vector.CopyTo(row);
        if (scale != 1)
        {
            foreach (ref float value in row)
            {
                value *= (float)scale;
            }
        }
    }
}
