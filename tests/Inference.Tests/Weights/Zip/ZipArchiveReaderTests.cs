using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using CsCheck;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Weights.Zip;

namespace Seq2Seq.Inference.Tests.Weights.Zip;

public sealed class ZipArchiveReaderTests
{
    private const int CentralOffsetField = 42;

    private static byte[] Archive(params (string Name, string Text)[] entries)
    {
        using var file = new MemoryStream();
        using (var archive = new ZipArchive(file, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach ((string name, string text) in entries)
            {
                using Stream stream = archive.CreateEntry(name, CompressionLevel.NoCompression).Open();
                stream.Write(Encoding.UTF8.GetBytes(text));
            }
        }

        return file.ToArray();
    }

    [Fact]
    public void Entries_are_where_the_archive_has_them()
    {
        byte[] archive = Archive(("a/data.pkl", "pickle"), ("a/data/0", "storage"));

        IReadOnlyDictionary<string, ZipEntry> entries = ZipArchiveReader.Read(new MemoryBytes(archive));

        entries.Keys.Should().Equal("a/data.pkl", "a/data/0");
        ZipEntry storage = entries["a/data/0"];
        storage.IsDeflated.Should().BeFalse();
        Encoding.UTF8.GetString(archive, (int)storage.DataOffset, (int)storage.Size).Should().Be("storage");
    }

    [Fact]
    public void Two_records_that_point_at_each_others_header_are_refused()
    {
        byte[] archive = Archive(("one", "11"), ("two", "22"));
        int first = IndexOf(archive, "PK\u0001\u0002");
        int second = IndexOf(archive, "PK\u0001\u0002", first + 1);
        int other = BinaryPrimitives.ReadInt32LittleEndian(archive.AsSpan(second + CentralOffsetField));
        BinaryPrimitives.WriteInt32LittleEndian(archive.AsSpan(first + CentralOffsetField), other);
        BinaryPrimitives.WriteInt32LittleEndian(archive.AsSpan(second + CentralOffsetField), 0);

        Refusal(archive).Message.Should().Contain("'two': its local header at 0 does not agree");
    }

    [Fact]
    public void Two_records_on_the_same_bytes_are_refused()
    {
        byte[] archive = Archive(("one", "11"), ("two", "22"));
        int second = IndexOf(archive, "PK\u0001\u0002", IndexOf(archive, "PK\u0001\u0002") + 1);
        BinaryPrimitives.WriteInt32LittleEndian(archive.AsSpan(second + CentralOffsetField), 0);

        Refusal(archive).Code.Should().Be(LoadCodes.WeightsCorrupt);
    }

    [Theory]
    [InlineData(14, "entries")]
    [InlineData(4, "PK")]
    public void Sizes_beyond_32_bits_are_read_from_the_zip64_records(int payloadLength, string payload)
    {
        byte[] archive = Zip64Archive("x/data.pkl", new string(payload[0], payloadLength));

        ZipEntry entry = ZipArchiveReader.Read(new MemoryBytes(archive))["x/data.pkl"];

        entry.Size.Should().Be(payloadLength);
        archive[entry.DataOffset].Should().Be((byte)payload[0]);
    }

    [Fact]
    public void Zip64_records_that_disagree_with_the_others_are_refused()
    {
        byte[] archive = Zip64Archive("x/data.pkl", "12345");
        int end = IndexOf(archive, "PK\u0006\u0006");
        archive[end + 40]++;

        Refusal(archive).Code.Should().Be(LoadCodes.WeightsCorrupt);
    }

    [Fact]
    public void Mutated_archives_are_read_or_refused_and_never_beyond_their_bytes()
    {
        byte[] archive = Archive(("a/data.pkl", "pickle"), ("a/data/0", "storage"), ("a/version", "3"));
        Gen.Select(Gen.Int[0, archive.Length - 1], Gen.Byte)
            .Array[1, 6]
            .Sample(mutations =>
            {
                byte[] mutated = [.. archive];
                foreach ((int index, byte value) in mutations)
                {
                    mutated[index] = value;
                }

                try
                {
                    foreach (ZipEntry entry in ZipArchiveReader.Read(new MemoryBytes(mutated)).Values)
                    {
                        (entry.DataOffset + entry.CompressedSize).Should().BeLessThan(mutated.Length);
                    }
                }
                catch (LoadRefusedException refusal)
                {
                    refusal.Code.Should().Be(LoadCodes.WeightsCorrupt);
                }
            });
    }

    // As writers for files over 4 GiB do it: every 32-bit field saturated, the values in extra fields and records.
    private static byte[] Zip64Archive(string name, string text)
    {
        byte[] plain = Archive((name, text));
        byte[] data = Encoding.UTF8.GetBytes(text);
        byte[] rawName = Encoding.UTF8.GetBytes(name);
        uint crc = System.IO.Hashing.Crc32.HashToUInt32(data);
        using var file = new MemoryStream();
        using var writer = new BinaryWriter(file);
        writer.Write(plain.AsSpan(0, 14));
        writer.Write(crc);
        writer.Write(uint.MaxValue);
        writer.Write(uint.MaxValue);
        writer.Write((ushort)rawName.Length);
        writer.Write((ushort)20);
        writer.Write(rawName);
        WriteExtra(16);
        writer.Write(data);
        long central = file.Position;
        writer.Write(plain.AsSpan(IndexOf(plain, "PK\u0001\u0002"), 16));
        writer.Write(crc);
        writer.Write(uint.MaxValue);
        writer.Write(uint.MaxValue);
        writer.Write((ushort)rawName.Length);
        writer.Write((ushort)28);
        writer.Write(new byte[10]);
        writer.Write(uint.MaxValue);
        writer.Write(rawName);
        WriteExtra(24);
        writer.Write(0L);
        long end = file.Position;
        writer.Write(0x06064B50);
        writer.Write(44L);
        writer.Write(new byte[12]);
        writer.Write(1L);
        writer.Write(1L);
        writer.Write(end - central);
        writer.Write(central);
        writer.Write(0x07064B50);
        writer.Write(0);
        writer.Write(end);
        writer.Write(1);
        writer.Write(0x06054B50);
        writer.Write(0);
        writer.Write(ushort.MaxValue);
        writer.Write(ushort.MaxValue);
        writer.Write(uint.MaxValue);
        writer.Write(uint.MaxValue);
        writer.Write((ushort)0);
        return file.ToArray();

        void WriteExtra(ushort length)
        {
            writer.Write((ushort)1);
            writer.Write(length);
            writer.Write((long)data.Length);
            writer.Write((long)data.Length);
        }
    }

    private static int IndexOf(byte[] bytes, string text, int start = 0) =>
        start + bytes.AsSpan(start).IndexOf(Encoding.Latin1.GetBytes(text));

    private static LoadRefusedException Refusal(byte[] archive) =>
        ((Action)(() => ZipArchiveReader.Read(new MemoryBytes(archive)))).Should().Throw<LoadRefusedException>().Which;
}
