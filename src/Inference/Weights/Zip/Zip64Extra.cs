using System.Buffers.Binary;

namespace Seq2Seq.Inference.Weights.Zip;

/// <summary>The zip64 extra field: 64-bit values for those that don't fit their 32 bits, in this order (APPNOTE 4.5.3).</summary>
internal static class Zip64Extra
{
    private const ushort Tag = 0x0001;

    /// <summary>Replaces values that are saturated (2^32 − 1); false when one is and the field does not give it.</summary>
    public static bool TryResolve(ReadOnlySpan<byte> extra, ref ulong size, ref ulong compressed, ref ulong offset)
    {
        ReadOnlySpan<byte> field = Find(extra);
        return TryTake(ref field, ref size) && TryTake(ref field, ref compressed) && TryTake(ref field, ref offset);
    }

    private static bool TryTake(ref ReadOnlySpan<byte> field, ref ulong value)
    {
        if (value != uint.MaxValue)
        {
            return true;
        }

        if (!BinaryPrimitives.TryReadUInt64LittleEndian(field, out value))
        {
            return false;
        }

        field = field[8..];
        return true;
    }

    // Padding that torch writes to align its data is an extra field too; what can't be parsed counts as absent.
    private static ReadOnlySpan<byte> Find(ReadOnlySpan<byte> extra)
    {
        while (extra.Length >= 4)
        {
            int length = BinaryPrimitives.ReadUInt16LittleEndian(extra[2..]);
            if (4 + length > extra.Length)
            {
                break;
            }

            if (BinaryPrimitives.ReadUInt16LittleEndian(extra) == Tag)
            {
                return extra.Slice(4, length);
            }

            extra = extra[(4 + length)..];
        }

        return [];
    }
}
