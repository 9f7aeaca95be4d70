using System.Globalization;

namespace Seq2Seq.Inference.Weights;

/// <summary>Counts and prints shapes that nobody has checked yet.</summary>
internal static class TensorShape
{
    private const int MaxPrintedDimensions = 8;

    /// <summary>The product of the dimensions; false when one is negative or the product, zeros aside, exceeds 2^63 − 1.</summary>
    public static bool TryElementCount(ReadOnlySpan<long> shape, out long count)
    {
        count = 1;
        long product = 1;
        foreach (long dimension in shape)
        {
            if (dimension < 0)
            {
                return false;
            }

            count = dimension == 0 ? 0 : count;
            if (dimension > 0 && Math.BigMul(product, dimension, out product) != 0 || product < 0)
            {
                return false;
            }
        }

        count = count == 0 ? 0 : product;
        return true;
    }

    /// <summary>The product of the dimensions of a shape that was checked.</summary>
    public static long ElementCount(ReadOnlySpan<long> shape) =>
        TryElementCount(shape, out long count) ? count : throw new OverflowException(Print(shape));

    /// <summary>Such as <c>[120, 8]</c>.</summary>
    public static string Print(ReadOnlySpan<long> shape)
    {
        string[] dimensions = new string[Math.Min(shape.Length, MaxPrintedDimensions)];
        for (int i = 0; i < dimensions.Length; i++)
        {
            dimensions[i] = shape[i].ToString(CultureInfo.InvariantCulture);
        }

        string rest = shape.Length > dimensions.Length ? $", … ({shape.Length} dimensions)" : "";
        return $"[{string.Join(", ", dimensions)}{rest}]";
    }
}
