using System.Buffers;
using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace Seq2Seq.Inference.Weights;

/// <summary>Reads elements of a stored tensor, in row-major order, as float32.</summary>
internal static class StoredTensorReader
{
    /// <summary>Fills <paramref name="destination"/> with the elements from <paramref name="start"/> on.</summary>
    /// <param name="stored">The tensor.</param>
    /// <param name="start">The first element to read.</param>
    /// <param name="destination">Where they go; its length says how many.</param>
    /// <param name="crc">Takes the bytes as they are stored; null when nobody asks.</param>
    public static void Read(StoredTensor stored, long start, Span<float> destination, Crc32? crc)
    {
        int size = stored.Type.Bytes;
        long offset = stored.Offset + start * size;
        if (stored.Type == ElementType.Float32 && !stored.Source.IsBigEndian)
        {
            stored.Source.Read(offset, MemoryMarshal.AsBytes(destination));
            crc?.Append(MemoryMarshal.AsBytes(destination));
            return;
        }

        byte[] rented = ArrayPool<byte>.Shared.Rent(destination.Length * size);
        try
        {
            Span<byte> bytes = rented.AsSpan(0, destination.Length * size);
            stored.Source.Read(offset, bytes);
            crc?.Append(bytes);
            FloatBlock.Convert(bytes, stored.Type, stored.Source.IsBigEndian, destination);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }
}
