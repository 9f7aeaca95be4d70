using System.IO.Compression;
using System.IO.Hashing;
using Seq2Seq.Inference.Loading;

namespace Seq2Seq.Inference.Weights;

/// <summary>A deflated entry, unpacked into memory when it is first read. It must give exactly the bytes it promised.</summary>
internal sealed class InflatedBytes : ByteSource
{
    // What a few kilobytes may become before the ratio counts: masks and zero biases shrink to nothing.
    private const long FreeBytes = 16 << 20;
    private const long MaxRatio = 64;

    private readonly Lazy<byte[]> _bytes;

    /// <param name="compressed">The compressed bytes.</param>
    /// <param name="description">The file and the entry.</param>
    /// <param name="length">The length that the archive promises.</param>
    /// <param name="crc">The CRC-32 that the archive promises.</param>
    /// <exception cref="LoadRefusedException">The promised length is no plausible one.</exception>
    public InflatedBytes(ByteSource compressed, string description, long length, uint crc)
        : base(description, compressed.Position, length)
    {
        if (length > Math.Max(FreeBytes, compressed.Length * MaxRatio) || length > Array.MaxLength)
        {
            throw new LoadRefusedException(
                LoadCodes.WeightsCorrupt,
                $"{description}: {compressed.Length} bytes should inflate to {length}; weights do not compress that well."
            );
        }

        _bytes = new Lazy<byte[]>(() => Inflate(compressed, description, length, crc));
    }

    public override void Read(long offset, Span<byte> destination) =>
        _bytes.Value.AsSpan((int)offset, destination.Length).CopyTo(destination);

    private static byte[] Inflate(ByteSource compressed, string description, long length, uint crc)
    {
        byte[] bytes = new byte[length];
        try
        {
            using var stream = new DeflateStream(new ByteSourceStream(compressed), CompressionMode.Decompress);
            stream.ReadExactly(bytes);
            if (stream.ReadByte() >= 0)
            {
                throw new InvalidDataException($"It holds more than the {length} bytes that it claims.");
            }
        }
        catch (Exception exception) when (exception is InvalidDataException or EndOfStreamException)
        {
            throw new LoadRefusedException(
                LoadCodes.WeightsCorrupt,
                $"{description}: it can't be inflated to {length} bytes: {exception.Message}",
                exception
            );
        }

        uint found = Crc32.HashToUInt32(bytes);
        return found == crc ? bytes : throw ChecksumMismatch(description, found, crc);
    }
}
