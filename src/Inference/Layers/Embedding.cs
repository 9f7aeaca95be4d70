using static TorchSharp.torch;

namespace Seq2Seq.Inference.Layers;

/// <summary>A table of vectors looked up by id, optionally scaled (<c>sqrt(d_model)</c> in Marian and some BART models).</summary>
internal sealed class Embedding(Tensor weight, double scale = 1) : IDisposable
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

    public void Dispose() => _weight.Dispose();
}
