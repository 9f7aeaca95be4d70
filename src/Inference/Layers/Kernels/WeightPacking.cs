using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Seq2Seq.Inference.Layers.Kernels;

/// <summary>What packing a weight into panels is made of: each value is read once, in whole vectors.</summary>
internal static unsafe class WeightPacking
{
    /// <summary>Outputs that are packed together.</summary>
    public const int GroupOutputs = 8;

    /// <summary>
    /// Packs up to eight outputs of <c>[out, in]</c> side by side; where there are fewer, zeros. Scales, where the format has
    /// them, are what sums are to be multiplied by.
    /// </summary>
    // Optimised from the first call on, as all that runs for each weight of a load: by the time that the runtime had
    // counted its calls the load would be over.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void PackGroup<TFormat>(
        float* weight,
        int outputs,
        int inFeatures,
        float scale,
        byte* packed,
        nint stride,
        float* scales
    )
        where TFormat : struct, IWeightFormat
    {
        float* multipliers = stackalloc float[GroupOutputs];
        for (int output = 0; output < outputs; output++)
        {
            multipliers[output] = scale;
            if (TFormat.HasScales)
            {
                float largest = LargestMagnitude(weight + ((nint)output * inFeatures), inFeatures);
                float multiplier = TFormat.Multiplier(largest * MathF.Abs(scale));
                multipliers[output] = multiplier * scale;
                scales[output] = 1 / multiplier;
            }
        }

        var factors = Vector256.Load(multipliers);
        int input = 0;
        for (; outputs == GroupOutputs && input + GroupOutputs <= inFeatures; input += GroupOutputs)
        {
            Columns columns = Transpose(weight + input, inFeatures);
            for (int i = 0; i < GroupOutputs; i++)
            {
                TFormat.Store256(columns[i] * factors, packed + ((input + i) * stride));
            }
        }

        float* column = stackalloc float[GroupOutputs];
        for (; input < inFeatures; input++)
        {
            for (int output = 0; output < outputs; output++)
            {
                column[output] = weight[((nint)output * inFeatures) + input];
            }

            TFormat.Store256(Vector256.Load(column) * factors, packed + (input * stride));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float LargestMagnitude(float* values, int count)
    {
        Vector256<float> largest = Vector256<float>.Zero;
        int i = 0;
        for (; i + Vector256<float>.Count <= count; i += Vector256<float>.Count)
        {
            largest = Vector256.Max(largest, Vector256.Abs(Vector256.Load(values + i)));
        }

        float magnitude = 0;
        for (int lane = 0; lane < Vector256<float>.Count; lane++)
        {
            magnitude = MathF.Max(magnitude, largest[lane]);
        }

        for (; i < count; i++)
        {
            magnitude = MathF.Max(magnitude, MathF.Abs(values[i]));
        }

        return magnitude;
    }

    /// <summary>Reads a block of eight rows of eight values by its columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Columns Transpose(float* block, nint stride)
    {
        // Pairs of rows, then quads, within each half of the vectors; then the halves.
        Columns pairs = default;
        for (int i = 0; i < GroupOutputs; i += 2)
        {
            var first = Vector256.Load(block + (i * stride));
            var second = Vector256.Load(block + ((i + 1) * stride));
            pairs[i] = Avx.UnpackLow(first, second);
            pairs[i + 1] = Avx.UnpackHigh(first, second);
        }

        Columns quads = default;
        for (int i = 0; i < GroupOutputs; i += 4)
        {
            quads[i] = Avx.Shuffle(pairs[i], pairs[i + 2], 0x44);
            quads[i + 1] = Avx.Shuffle(pairs[i], pairs[i + 2], 0xEE);
            quads[i + 2] = Avx.Shuffle(pairs[i + 1], pairs[i + 3], 0x44);
            quads[i + 3] = Avx.Shuffle(pairs[i + 1], pairs[i + 3], 0xEE);
        }

        Columns columns = default;
        for (int i = 0; i < GroupOutputs / 2; i++)
        {
            columns[i] = Avx.Permute2x128(quads[i], quads[i + 4], 0x20);
            columns[i + 4] = Avx.Permute2x128(quads[i], quads[i + 4], 0x31);
        }

        return columns;
    }

    [InlineArray(GroupOutputs)]
    private struct Columns
    {
        private Vector256<float> _first;
    }
}
