namespace Seq2Seq.Inference.Weights.Zip;

/// <summary>
/// Puts the CRC-32s of neighbouring blocks together, so that the blocks of one entry can be read at the same time:
/// <c>crc(a ‖ b) = crc(a) · x^(8 |b|) + crc(b)</c> over GF(2) modulo the polynomial of zip, as in zlib's crc32_combine.
/// </summary>
internal static class CrcBlocks
{
    // x^32 + x^26 + x^23 + … + 1 with the highest power in the lowest bit.
    private const uint Polynomial = 0xEDB88320;

    // The polynomial 1.
    private const uint One = 1u << 31;

    public static uint Combine(uint first, uint second, long secondLength) =>
        Multiply(PowerOfX(8 * secondLength), first) ^ second;

    private static uint PowerOfX(long exponent)
    {
        uint result = One;
        uint square = One >> 1;
        for (; exponent > 0; exponent >>= 1)
        {
            if ((exponent & 1) != 0)
            {
                result = Multiply(square, result);
            }

            square = Multiply(square, square);
        }

        return result;
    }

    private static uint Multiply(uint a, uint b)
    {
        uint product = 0;
        for (uint bit = One; bit != 0; bit >>= 1)
        {
            if ((a & bit) != 0)
            {
                product ^= b;
            }

            b = (b & 1) != 0 ? (b >> 1) ^ Polynomial : b >> 1;
        }

        return product;
    }
}
