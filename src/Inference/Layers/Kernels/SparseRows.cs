using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Seq2Seq.Inference.Devices;

namespace Seq2Seq.Inference.Layers.Kernels;

/// <summary>
/// Input rows by what isn't zero in them. After a ReLU nine in ten values of a trained T5 are zero (Li et al. 2023, The
/// Lazy Neuron Phenomenon, arXiv 2210.06313), so the second product of its feed-forward need not look at most weights. A sum
/// without its zero terms is the same bits.
/// </summary>
// Rows go in groups of three: a group has the places where one of its rows isn't zero, each as an offset into a panel, and the
// values of the three rows there. More rows in a group would share the loads of weights, but hardly a place is zero in six rows at once.
internal unsafe struct SparseRows
{
    public const int GroupRows = 3;

    private const int Lanes = 8;

    /// <summary>Above this share of places that aren't zero, tiles of whole rows are faster.</summary>
    private const double MostWorthwhile = 0.5;

    /// <summary>Groups that are looked at to decide.</summary>
    private const int SampleGroups = 4;

    /// <summary>Fewer values than this are no work to share.</summary>
    private const int ValuesPerChunk = 32 * 1024;

    // Room for every place of every group; only what is written is ever paid for.
    [ThreadStatic]
    private static AlignedBuffer<int>? s_offsets;

    [ThreadStatic]
    private static AlignedBuffer<float>? s_values;

    [ThreadStatic]
    private static AlignedBuffer<int>? s_counts;

    private static readonly byte[] Orders = MakeOrders();

    private int* _offsets;
    private float* _values;
    private int* _counts;

    /// <summary>Finds the rows' places and values. They lie in memory of the calling thread, which its next call uses again.</summary>
    /// <param name="input">The rows, one after the other.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="depth">Values of a row.</param>
    /// <param name="weightRowBytes">Bytes from one place to the next in a panel.</param>
    /// <param name="found">What was found.</param>
    /// <returns>False when too few values are zero.</returns>
    public static bool TryFind(float* input, int rows, int depth, int weightRowBytes, out SparseRows found)
    {
        int groups = (rows + GroupRows - 1) / GroupRows;
        // Whole vectors are stored, the last one up to its length beyond the last place.
        int stride = depth + Lanes;
        nint places = (nint)groups * stride;
        Work work = new()
        {
            Input = input,
            Rows = rows,
            Depth = depth,
            WeightRowBytes = weightRowBytes,
            Groups = groups,
            Found = new SparseRows
            {
                Stride = stride,
                _offsets = Reserve(ref s_offsets, places),
                _values = Reserve(ref s_values, places * GroupRows),
                _counts = Reserve(ref s_counts, groups),
            },
        };
        found = work.Found;
        int sample = Math.Min(groups, SampleGroups);
        long taken = 0;
        for (int group = 0; group < sample; group++)
        {
            FindGroup(&work, group);
            taken += found.Count(group);
        }

        if (taken > MostWorthwhile * sample * depth)
        {
            return false;
        }

        work.FirstGroup = sample;
        ComputeTeam.Run(&FindChunk, &work, (int)Math.Max(1, (long)rows * depth / ValuesPerChunk));
        return true;
    }

    /// <summary>From a row's values to those of the group's next row.</summary>
    public int Stride { get; private init; }

    /// <summary>Places of a group.</summary>
    public readonly int Count(int group) => _counts[group];

    /// <summary>The places' offsets into a panel, in bytes.</summary>
    public readonly int* Offsets(int group) => _offsets + ((nint)group * Stride);

    /// <summary>The values of a group's first row at its places; those of the others by <see cref="Stride"/>.</summary>
    public readonly float* Values(int group) => _values + ((nint)group * Stride * GroupRows);

    private static T* Reserve<T>(ref AlignedBuffer<T>? buffer, nint length)
        where T : unmanaged
    {
        if (buffer is null || buffer.Length < length)
        {
            buffer?.Dispose();
            buffer = new AlignedBuffer<T>(length + (length / 2), isZeroed: false);
        }

        return buffer.Pointer;
    }

    private static void FindChunk(void* state, int chunk, int chunks)
    {
        Work* work = (Work*)state;
        int groups = work->Groups - work->FirstGroup;
        int end = work->FirstGroup + (int)((long)groups * (chunk + 1) / chunks);
        for (int group = work->FirstGroup + (int)((long)groups * chunk / chunks); group < end; group++)
        {
            FindGroup(work, group);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FindGroup(Work* work, int group)
    {
        int depth = work->Depth;
        int rows = Math.Min(GroupRows, work->Rows - (group * GroupRows));
        float* first = work->Input + ((nint)group * GroupRows * depth);
        // For rows that aren't there the first again: their outputs are not stored.
        float* second = rows > 1 ? first + depth : first;
        float* third = rows > 2 ? second + depth : first;
        int* offsets = work->Found.Offsets(group);
        float* firstValues = work->Found.Values(group);
        float* secondValues = firstValues + work->Found.Stride;
        float* thirdValues = secondValues + work->Found.Stride;
        fixed (byte* orders = Orders)
        {
            Vector256<int> places = Vector256<int>.Indices * work->WeightRowBytes;
            Vector256<int> step = Vector256.Create(Lanes * work->WeightRowBytes);
            int count = 0;
            for (int i = 0; i < depth; i += Lanes)
            {
                Vector256<float> x = LoadUpTo(first + i, depth - i);
                Vector256<float> y = LoadUpTo(second + i, depth - i);
                Vector256<float> z = LoadUpTo(third + i, depth - i);
                // The bits of a zero, but for its sign, tell it from all other values.
                uint isZero = Vector256.Equals(x | y | z, Vector256<float>.Zero).ExtractMostSignificantBits();
                uint taken = ~isZero & 0xFF;
                // All eight are stored, those to take in front; the next store covers the others.
                Vector256<int> order = Avx2.ConvertToVector256Int32(orders + (Lanes * taken));
                Avx2.PermuteVar8x32(places, order).Store(offsets + count);
                Avx2.PermuteVar8x32(x, order).Store(firstValues + count);
                Avx2.PermuteVar8x32(y, order).Store(secondValues + count);
                Avx2.PermuteVar8x32(z, order).Store(thirdValues + count);
                count += BitOperations.PopCount(taken);
                places += step;
            }

            work->Found._counts[group] = count;
        }
    }

    /// <summary>Eight values, or as many as there are and zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> LoadUpTo(float* values, int count) =>
        count >= Lanes
            ? Vector256.Load(values)
            : Avx.MaskLoad(values, Vector256.LessThan(Vector256<int>.Indices, Vector256.Create(count)).AsSingle());

    /// <summary>For each set of lanes the order that brings them to the front.</summary>
    private static byte[] MakeOrders()
    {
        byte[] orders = new byte[256 * Lanes];
        for (int set = 0; set < 256; set++)
        {
            int count = 0;
            for (byte lane = 0; lane < Lanes; lane++)
            {
                if ((set >> lane & 1) != 0)
                {
                    orders[(set * Lanes) + count++] = lane;
                }
            }
        }

        return orders;
    }

    private struct Work
    {
        public float* Input;
        public int Rows;
        public int Depth;
        public int WeightRowBytes;
        public int Groups;
        public int FirstGroup;
        public SparseRows Found;
    }
}
