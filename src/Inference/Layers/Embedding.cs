using Seq2Seq.Inference.Layers.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Layers;

/// <summary>A table of vectors looked up by id, optionally scaled (<c>√d_model</c> in Marian and some BART models).</summary>
internal sealed unsafe class Embedding : IDisposable
{
    private readonly double _scale;

    // One of them.
    private readonly Parameter? _weight;
    private readonly Linear? _tied;

    /// <param name="weight"><c>[count, width]</c>; the caller still disposes its own handle.</param>
    /// <param name="scale">What vectors are multiplied by.</param>
    public Embedding(Tensor weight, double scale = 1)
    {
        _weight = new Parameter(weight);
        _scale = scale;
        Count = (int)weight.shape[0];
        Width = (int)weight.shape[1];
    }

    /// <summary>An embedding that is tied to a layer, and reads its vectors from the layer's weights.</summary>
    /// <param name="layer">One with <see cref="Linear.HoldsWeights"/>; it must live as long as this.</param>
    /// <param name="scale">What vectors are multiplied by.</param>
    public Embedding(Linear layer, double scale = 1)
    {
        if (!layer.HoldsWeights)
        {
            throw new ArgumentException("The layer doesn't hold its weights as they were.", nameof(layer));
        }

        _tied = layer;
        _scale = scale;
        Count = layer.OutFeatures;
        Width = layer.InFeatures;
    }

    /// <summary>Number of ids.</summary>
    public int Count { get; }

    /// <summary>Width of a vector.</summary>
    public int Width { get; }

    /// <summary>Ids <c>[…]</c> (int64 or int32) → vectors <c>[…, width]</c>.</summary>
    public Tensor Forward(Tensor ids)
    {
        if (_weight is null)
        {
            throw new NotSupportedException("An embedding that is tied to a layer gives rows, no tensors.");
        }

        using DisposeScope scope = NewDisposeScope();
        Tensor vectors = _weight.Tensor.index_select(0, ids.flatten()).view([.. ids.shape, Width]);
        return (_scale == 1 ? vectors : vectors.mul_(_scale)).MoveToOuterDisposeScope();
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
                _tied.ReadWeights(ids[i], (float)_scale, output.Pointer + ((nint)i * Width), accumulate);
            }

            return;
        }

        if (_weight!.Pointer is null)
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
            Elementwise.Scale(vector, (float)_scale, output.Pointer + ((nint)i * Width), Width, accumulate);
        }
    }

    public void Dispose() => _weight?.Dispose();

    private void CheckId(int id) =>
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)id, (uint)Count, nameof(id));
}
