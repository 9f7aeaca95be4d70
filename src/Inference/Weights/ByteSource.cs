using Microsoft.Win32.SafeHandles;
using Seq2Seq.Inference.Loading;

namespace Seq2Seq.Inference.Weights;

/// <summary>A run of bytes that tensors are views of: a part of a file, or an unpacked entry. Safe to read from many threads.</summary>
/// <param name="description">The file, and the entry in it: for messages.</param>
/// <param name="position">Where it begins in its file: reading in this order is reading the file from front to back.</param>
/// <param name="length">How many bytes it has.</param>
internal abstract class ByteSource(string description, long position, long length)
{
    public string Description { get; } = description;

    public long Position { get; } = position;

    public long Length { get; } = length;

    /// <summary>Whether its numbers have their most significant byte first.</summary>
    public bool IsBigEndian { get; init; }

    /// <summary>The CRC-32 that whoever reads all of it must find; null when there is none, or it checks itself.</summary>
    public uint? Crc { get; init; }

    /// <summary>Fills <paramref name="destination"/> with the bytes from <paramref name="offset"/> on.</summary>
    /// <exception cref="LoadRefusedException">The bytes can't be read any more, or are not what was promised.</exception>
    public abstract void Read(long offset, Span<byte> destination);

    /// <exception cref="LoadRefusedException">The checksum is another.</exception>
    public void CheckCrc(uint found)
    {
        if (Crc is { } expected && found != expected)
        {
            throw ChecksumMismatch(Description, found, expected);
        }
    }

    protected static LoadRefusedException ChecksumMismatch(string description, uint found, uint expected) =>
        new(
            LoadCodes.WeightsCorrupt,
            $"{description}: its CRC-32 is {found:x8}; expected {expected:x8}. The file is damaged."
        );
}

/// <summary>
/// A part of an open file, read by position. Not a mapping: a mapped file that is cut short while it is read kills the
/// process, and one that is rewritten in place would change weights that were already verified.
/// </summary>
internal sealed class FileBytes(SafeFileHandle file, string description, long start, long length)
    : ByteSource(description, start, length)
{
    public override void Read(long offset, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length - destination.Length);
        long position = Position + offset;
        while (!destination.IsEmpty)
        {
            int read;
            try
            {
                read = RandomAccess.Read(file, destination, position);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                throw new LoadRefusedException(
                    LoadCodes.WeightsUnreadable,
                    $"{Description}: reading failed at byte {position}: {exception.Message}",
                    exception
                );
            }

            if (read == 0)
            {
                throw new LoadRefusedException(
                    LoadCodes.WeightsUnreadable,
                    $"{Description}: the file ended at byte {position} while it was read; expected {destination.Length} bytes more. Was it cut short meanwhile?"
                );
            }

            destination = destination[read..];
            position += read;
        }
    }

    /// <summary>A part of this part.</summary>
    public FileBytes Slice(string description, long offset, long length, uint? crc = null, bool isBigEndian = false) =>
        new(file, description, Position + offset, length) { Crc = crc, IsBigEndian = isBigEndian };
}
