// zip (APPNOTE.TXT 6.3.10), back to front:
//
//   local header 0, data 0, [data descriptor 0], local header 1, …
//   central directory: one record an entry, with the offset of its local header
//   [zip64 end of central directory, and its locator]
//   end of central directory: count of records, size and offset of the directory, comment up to the end of the file

using System.Buffers.Binary;
using System.Globalization;
using Seq2Seq.Inference.Loading;

namespace Seq2Seq.Inference.Weights.Zip;

/// <summary>
/// Reads the directory of a zip archive, trusting nothing: the central directory must lie exactly where it says, every
/// local header must agree with its record, no two entries may share a name or a byte, and only stored and deflated
/// entries are taken. Nothing is ever extracted.
/// </summary>
internal sealed class ZipArchiveReader
{
    private const int EndLength = 22;
    private const int MaxCommentLength = ushort.MaxValue;
    private const uint EndSignature = 0x06054B50;
    private const int Zip64LocatorLength = 20;
    private const uint Zip64LocatorSignature = 0x07064B50;
    private const int Zip64EndLength = 56;
    private const uint Zip64EndSignature = 0x06064B50;
    private const int LocalLength = 30;
    private const uint LocalSignature = 0x04034B50;
    private const ushort EncryptedFlags = 0x0001 | 0x0040 | 0x2000;
    private const ushort DescriptorFlag = 0x0008;
    private const int MaxEntries = 1 << 18;
    private const int MaxDirectoryBytes = 64 << 20;

    private readonly ByteSource _file;

    private ZipArchiveReader(ByteSource file) => _file = file;

    /// <exception cref="LoadRefusedException">The archive breaks a rule; names the entry where one is at fault.</exception>
    public static IReadOnlyDictionary<string, ZipEntry> Read(ByteSource file) => new ZipArchiveReader(file).Read();

    private Dictionary<string, ZipEntry> Read()
    {
        (long start, long size, long count) = FindDirectory();
        if (size > MaxDirectoryBytes || count > MaxEntries)
        {
            throw Corrupt(
                $"the central directory claims {count} entries in {size} bytes; expected at most {MaxEntries} in {MaxDirectoryBytes}."
            );
        }

        byte[] directory = new byte[size];
        _file.Read(start, directory);
        List<CentralRecord> records = ReadRecords(directory, count);
        var entries = new Dictionary<string, ZipEntry>(records.Count, StringComparer.Ordinal);
        long end = 0;
        foreach (CentralRecord record in records.OrderBy(record => record.HeaderOffset))
        {
            if (record.HeaderOffset < end)
            {
                throw Corrupt($"entry '{UntrustedText.Printable(record.Name)}' overlaps the entry before it.");
            }

            ZipEntry entry = ReadEntry(record, start);
            end = entry.DataOffset + entry.CompressedSize;
            if (!entries.TryAdd(entry.Name, entry))
            {
                throw Corrupt($"entry '{UntrustedText.Printable(entry.Name)}' stands twice in the archive.");
            }
        }

        return entries;
    }

    private (long Start, long Size, long Count) FindDirectory()
    {
        int tailLength = (int)Math.Min(_file.Length, EndLength + MaxCommentLength);
        byte[] tail = new byte[tailLength];
        _file.Read(_file.Length - tailLength, tail);
        for (int i = tailLength - EndLength; i >= 0; i--)
        {
            ReadOnlySpan<byte> end = tail.AsSpan(i);
            if (
                BinaryPrimitives.ReadUInt32LittleEndian(end) == EndSignature
                && BinaryPrimitives.ReadUInt16LittleEndian(end[20..]) == end.Length - EndLength
            )
            {
                return ReadEnd(end, _file.Length - tailLength + i);
            }
        }

        throw Corrupt("the zip archive has no end of central directory. Was the file cut short?");
    }

    private (long Start, long Size, long Count) ReadEnd(ReadOnlySpan<byte> end, long endOffset)
    {
        ulong count = BinaryPrimitives.ReadUInt16LittleEndian(end[10..]);
        ulong size = BinaryPrimitives.ReadUInt32LittleEndian(end[12..]);
        ulong start = BinaryPrimitives.ReadUInt32LittleEndian(end[16..]);
        ulong directoryEnd = (ulong)endOffset;
        if (TryReadZip64End(endOffset, out byte[] zip64, out long zip64Offset))
        {
            (ulong count64, ulong size64, ulong start64) = (
                BinaryPrimitives.ReadUInt64LittleEndian(zip64.AsSpan(32)),
                BinaryPrimitives.ReadUInt64LittleEndian(zip64.AsSpan(40)),
                BinaryPrimitives.ReadUInt64LittleEndian(zip64.AsSpan(48))
            );
            if (
                (count != ushort.MaxValue && count != count64)
                || (size != uint.MaxValue && size != size64)
                || (start != uint.MaxValue && start != start64)
            )
            {
                throw Corrupt("the zip archive's two ends of central directory disagree.");
            }

            (count, size, start) = (count64, size64, start64);
            directoryEnd = (ulong)zip64Offset;
        }

        if (size > directoryEnd || start != directoryEnd - size)
        {
            throw Corrupt(
                $"the central directory should lie at {start} with {size} bytes; found its end at {directoryEnd}."
            );
        }

        return ((long)start, (long)size, (long)Math.Min(count, long.MaxValue));
    }

    private bool TryReadZip64End(long endOffset, out byte[] zip64, out long offset)
    {
        zip64 = new byte[Zip64EndLength];
        offset = 0;
        if (endOffset < Zip64LocatorLength + Zip64EndLength)
        {
            return false;
        }

        Span<byte> locator = stackalloc byte[Zip64LocatorLength];
        _file.Read(endOffset - Zip64LocatorLength, locator);
        if (BinaryPrimitives.ReadUInt32LittleEndian(locator) != Zip64LocatorSignature)
        {
            return false;
        }

        ulong claimed = BinaryPrimitives.ReadUInt64LittleEndian(locator[8..]);
        if (claimed > (ulong)(endOffset - Zip64LocatorLength - Zip64EndLength))
        {
            throw Corrupt($"the zip64 end of central directory should lie at {claimed}, beyond its locator.");
        }

        offset = (long)claimed;
        _file.Read(offset, zip64);
        return BinaryPrimitives.ReadUInt32LittleEndian(zip64) == Zip64EndSignature
            ? true
            : throw Corrupt($"there is no zip64 end of central directory at {offset}, where its locator points.");
    }

    private List<CentralRecord> ReadRecords(ReadOnlySpan<byte> directory, long count)
    {
        var records = new List<CentralRecord>();
        while (!directory.IsEmpty)
        {
            CentralRecord record =
                CentralRecord.TryRead(directory, out int length)
                ?? throw Corrupt($"record {records.Count} of the central directory is damaged.");
            records.Add(record);
            directory = directory[length..];
        }

        return records.Count == count
            ? records
            : throw Corrupt($"the central directory holds {records.Count} entries; its end claims {count}.");
    }

    private ZipEntry ReadEntry(CentralRecord record, long directoryStart)
    {
        string name = record.Name;
        if ((record.Flags & EncryptedFlags) != 0)
        {
            throw Corrupt($"entry '{UntrustedText.Printable(name)}' is encrypted.");
        }

        if (record.Method is not (0 or 8))
        {
            throw Corrupt(
                $"entry '{UntrustedText.Printable(name)}' is compressed with method {MethodName(record.Method)}; expected stored or deflated."
            );
        }

        int headerLength = LocalLength + record.RawName.Length;
        if (headerLength > directoryStart || record.HeaderOffset > directoryStart - headerLength)
        {
            throw Corrupt(
                $"entry '{UntrustedText.Printable(name)}' begins at {record.HeaderOffset}, beyond the archive's data."
            );
        }

        byte[] header = new byte[headerLength];
        _file.Read(record.HeaderOffset, header);
        int extraLength = BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(28));
        long dataOffset = record.HeaderOffset + headerLength + extraLength;
        if (dataOffset > directoryStart || record.CompressedSize > directoryStart - dataOffset)
        {
            throw Corrupt(
                $"entry '{UntrustedText.Printable(name)}' claims {record.CompressedSize} bytes at {dataOffset}, beyond the archive's data."
            );
        }

        byte[] extra = new byte[extraLength];
        _file.Read(dataOffset - extraLength, extra);
        CheckAgreement(record, header, extra);
        if (record.Method == 0 && record.Size != record.CompressedSize)
        {
            throw Corrupt(
                $"entry '{UntrustedText.Printable(name)}' is stored in {record.CompressedSize} bytes but claims {record.Size}."
            );
        }

        return new ZipEntry
        {
            Name = name,
            IsDeflated = record.Method == 8,
            Crc = record.Crc,
            CompressedSize = record.CompressedSize,
            Size = record.Size,
            DataOffset = dataOffset,
        };
    }

    private void CheckAgreement(CentralRecord record, ReadOnlySpan<byte> header, ReadOnlySpan<byte> extra)
    {
        uint crc = BinaryPrimitives.ReadUInt32LittleEndian(header[14..]);
        ulong compressed = BinaryPrimitives.ReadUInt32LittleEndian(header[18..]);
        ulong size = BinaryPrimitives.ReadUInt32LittleEndian(header[22..]);
        ulong noOffset = 0;
        bool isWhole = Zip64Extra.TryResolve(extra, ref size, ref compressed, ref noOffset);

        // With the flag, the header's zeros are made good by a descriptor behind the data.
        bool isDeferred = (record.Flags & DescriptorFlag) != 0 && crc == 0 && compressed == 0 && size == 0;
        bool agrees =
            BinaryPrimitives.ReadUInt32LittleEndian(header) == LocalSignature
            && BinaryPrimitives.ReadUInt16LittleEndian(header[6..]) == record.Flags
            && BinaryPrimitives.ReadUInt16LittleEndian(header[8..]) == record.Method
            && header[LocalLength..].SequenceEqual(record.RawName)
            && BinaryPrimitives.ReadUInt16LittleEndian(header[26..]) == record.RawName.Length
            && isWhole
            && (
                isDeferred
                || (crc == record.Crc && compressed == (ulong)record.CompressedSize && size == (ulong)record.Size)
            );
        if (!agrees)
        {
            throw Corrupt(
                $"entry '{UntrustedText.Printable(record.Name)}': its local header at {record.HeaderOffset} does not agree with the central directory."
            );
        }
    }

    private static string MethodName(ushort method) =>
        method switch
        {
            12 => "12 (bzip2)",
            14 => "14 (lzma)",
            99 => "99 (encrypted)",
            _ => method.ToString(CultureInfo.InvariantCulture),
        };

    private LoadRefusedException Corrupt(string message) =>
        new(LoadCodes.WeightsCorrupt, $"{_file.Description}: {message}");
}
