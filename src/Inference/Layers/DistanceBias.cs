using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Layers;

/// <summary>
/// What attention adds to a score because of the distance from query to key, for each head: T5's relative position bias.
/// The values are laid out by distance, since a row of scores then adds a run of them. Safe to use from many threads.
/// </summary>
internal sealed class DistanceBias
{
    private readonly float[] _weight;
    private readonly Func<int, int> _bucketOf;
    private readonly Lock _growth = new();
    private volatile DistanceTable _table;

    /// <param name="weight"><c>[buckets, heads]</c>. Copied.</param>
    /// <param name="bucketOf">Bucket of a distance (key position − query position), as the family defines it.</param>
    public DistanceBias(Tensor weight, Func<int, int> bucketOf)
    {
        Heads = (int)weight.shape[1];
        _bucketOf = bucketOf;
        using DisposeScope scope = NewDisposeScope();
        _weight = weight.cpu().contiguous().FloatSpan().ToArray();
        _table = new DistanceTable(_weight, Heads, bucketOf, maxDistance: 128);
    }

    public int Heads { get; }

    /// <summary>The values for distances up to <paramref name="maxDistance"/> either way, or farther.</summary>
    public DistanceTable TableFor(int maxDistance)
    {
        DistanceTable table = _table;
        if (table.MaxDistance >= maxDistance)
        {
            return table;
        }

        lock (_growth)
        {
            // The former table lives on for those who still read it.
            if (_table.MaxDistance < maxDistance)
            {
                _table = new DistanceTable(_weight, Heads, _bucketOf, Math.Max(maxDistance, 2 * _table.MaxDistance));
            }

            return _table;
        }
    }
}

/// <summary>The biases of each head for all distances up to a limit, in order.</summary>
internal sealed unsafe class DistanceTable
{
    // Pinned from birth, so that kernels may read it by pointer; collected when nobody reads it any more.
    private readonly float[] _values;

    internal DistanceTable(float[] weight, int heads, Func<int, int> bucketOf, int maxDistance)
    {
        MaxDistance = maxDistance;
        // Kernels read whole vectors: up to seven values beyond the last distance.
        Stride = (2 * maxDistance) + 1 + 7;
        _values = GC.AllocateArray<float>(heads * Stride, pinned: true);
        for (int distance = -maxDistance; distance <= maxDistance; distance++)
        {
            int bucket = bucketOf(distance);
            for (int head = 0; head < heads; head++)
            {
                *At(head, distance) = weight[(bucket * heads) + head];
            }
        }
    }

    public int MaxDistance { get; }

    /// <summary>Floats from one head's values to the next head's.</summary>
    public int Stride { get; }

    /// <summary>The value at a distance, followed by those of the next ones. Valid while this object lives.</summary>
    public float* At(int head, int distance) =>
        (float*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_values))
        + ((nint)head * Stride)
        + distance
        + MaxDistance;
}
