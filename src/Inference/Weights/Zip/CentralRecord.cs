using System.Buffers.Binary;
using System.Text;

namespace Seq2Seq.Inference.Weights.Zip;

/// <summary>One record of a central directory, zip64 sizes resolved (APPNOTE 4.3.12, 4.5.3).</summary>
internal sealed record CentralRecord
{
    private const int FixedLength = 46;
    private const uint Signature = 0x02014B50;

    public required byte[] RawName { get; init; }

    public required ushort Flags { get; init; }

    public required ushort Method { get; init; }

    public required uint Crc { get; init; }

    public required long CompressedSize { get; init; }

    public required long Size { get; init; }

    public required long HeaderOffset { get; init; }

    public string Name => Encoding.UTF8.GetString(RawName);

    /// <summary>Reads the record at the front of <paramref name="directory"/>; null when it is none.</summary>
    public static CentralRecord? TryRead(ReadOnlySpan<byte> directory, out int length)
    {
        length = 0;
        if (directory.Length < FixedLength || BinaryPrimitives.ReadUInt32LittleEndian(directory) != Signature)
        {
            return null;
        }

        int nameLength = BinaryPrimitives.ReadUInt16LittleEndian(directory[28..]);
        int extraLength = BinaryPrimitives.ReadUInt16LittleEndian(directory[30..]);
        int commentLength = BinaryPrimitives.ReadUInt16LittleEndian(directory[32..]);
        length = FixedLength + nameLength + extraLength + commentLength;
        if (length > directory.Length)
        {
            return null;
        }

        ulong compressed = BinaryPrimitives.ReadUInt32LittleEndian(directory[20..]);
        ulong size = BinaryPrimitives.ReadUInt32LittleEndian(directory[24..]);
        ulong offset = BinaryPrimitives.ReadUInt32LittleEndian(directory[42..]);
        bool isWhole = Zip64Extra.TryResolve(
            directory.Slice(FixedLength + nameLength, extraLength),
            ref size,
            ref compressed,
            ref offset
        );
        return isWhole && size <= long.MaxValue && compressed <= long.MaxValue && offset <= long.MaxValue
            ? new CentralRecord
            {
                RawName = directory.Slice(FixedLength, nameLength).ToArray(),
                Flags = BinaryPrimitives.ReadUInt16LittleEndian(directory[8..]),
                Method = BinaryPrimitives.ReadUInt16LittleEndian(directory[10..]),
                Crc = BinaryPrimitives.ReadUInt32LittleEndian(directory[16..]),
                CompressedSize = (long)compressed,
                Size = (long)size,
                HeaderOffset = (long)offset,
            }
            : null;
    }
}
