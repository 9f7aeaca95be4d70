using Seq2Seq.Inference.Layers.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Layers;

/// <summary>A table of vectors looked up by id, optionally scaled (<c>√d_model</c> in Marian and some BART models).</summary>
internal sealed unsafe class Embedding(Tensor weight, double scale = 1) : IDisposable
{
    private readonly Parameter _weight = new(weight);
    private Linear? _tied;

    /// <summary>Number of ids.</summary>
    public int Count { get; } = (int)weight.shape[0];

    /// <summary>Width of a vector.</summary>
    public int Width { get; } = (int)weight.shape[1];

    /// <summary>Whether vectors are read from the weights of a layer.</summary>
    public bool IsTied => _tied is not null;

    /// <summary>
    /// Gives up the own table if a layer holds it too (tied embeddings): vectors are read from the layer's weights from then on.
    /// </summary>
    /// <param name="layer">The layer; it must live as long as this.</param>
    /// <param name="layerWeight">What the layer was made of, <c>[count, width]</c>.</param>
    public void Tie(Linear layer, Tensor layerWeight)
    {
        bool isSameTable =
            _weight.Pointer is not null
            && layerWeight.is_contiguous()
            && layerWeight.shape.AsSpan().SequenceEqual([Count, Width])
            && layerWeight.FloatPointer() == _weight.Pointer;
        if (isSameTable && layer.HoldsWeights)
        {
            _tied = layer;
            _weight.Dispose();
        }
    }

    /// <summary>Ids <c>[…]</c> (int64 or int32) → vectors <c>[…, width]</c>.</summary>
    public Tensor Forward(Tensor ids)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor vectors = _weight.Tensor.index_select(0, ids.flatten()).view([.. ids.shape, Width]);
        return (scale == 1 ? vectors : vectors.mul_(scale)).MoveToOuterDisposeScope();
    }

    /// <summary>Ids → rows, one each.</summary>
    /// <param name="ids">From 0 to <see cref="Count"/> − 1.</param>
    /// <param name="output">Resized to the number of ids.</param>
    /// <param name="accumulate">Add to what the output holds, as a second embedding (of positions) does.</param>
    public void Forward(ReadOnlySpan<int> ids, Rows output, bool accumulate = false)
    {
        if (output.Width != Width || (accumulate && output.Count != ids.Length))
        {
            throw new ArgumentException(
                $"Embeddings of width {Width} for {ids.Length} ids don't fit [{output.Count}, {output.Width}].",
                nameof(output)
            );
        }

        output.Resize(ids.Length);
        if (_tied is not null)
        {
            for (int i = 0; i < ids.Length; i++)
            {
                CheckId(ids[i]);
                _tied.ReadWeights(ids[i], (float)scale, output.Pointer + ((nint)i * Width), accumulate);
            }

            return;
        }

        if (_weight.Pointer is null)
        {
            Tensor target = output.Tensor;
            using DisposeScope scope = NewDisposeScope();
            Tensor vectors = Forward(tensor(ids.ToArray(), device: _weight.Tensor.device));
            _ = accumulate ? target.add_(vectors) : target.copy_(vectors);
            return;
        }

        for (int i = 0; i < ids.Length; i++)
        {
            CheckId(ids[i]);
            float* vector = _weight.Pointer + ((nint)ids[i] * Width);
            Elementwise.Scale(vector, (float)scale, output.Pointer + ((nint)i * Width), Width, accumulate);
        }
    }

    public void Dispose() => _weight.Dispose();

    private void CheckId(int id) =>
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)id, (uint)Count, nameof(id));
}
