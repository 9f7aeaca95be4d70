using System.Buffers.Binary;
using System.Text;

namespace Seq2Seq.EndToEnd.Tests;

/// <summary>
/// The program's copy of libLibTorchSharp.so asks for GLIBCXX_3.4.32 weakly, so that it loads on Debian 12 and Ubuntu 22.04,
/// whose newest is 3.4.30 (see build/LibTorch.targets).
/// </summary>
public sealed class NativeLibraryTests
{
    // ELF64, little-endian; the layout stands in build/WeakenVersionNeed.cs.
    private const uint VersionNeedSection = 0x6ffffffe;
    private const ushort Weak = 2;

    [Fact]
    public void The_version_that_old_systems_lack_is_asked_for_weakly() =>
        VersionsNeeded(Path.Combine(Program.Folder, "libLibTorchSharp.so"))
            .Should()
            .Contain(("GLIBCXX_3.4.32", Weak))
            .And.Contain(version => version.Flags == 0);

    private static List<(string Name, ushort Flags)> VersionsNeeded(string path)
    {
        byte[] elf = File.ReadAllBytes(path);
        int sections = (int)Long(elf, 0x28);
        int sectionSize = Short(elf, 0x3A);
        int section = Enumerable
            .Range(0, Short(elf, 0x3C))
            .Select(index => sections + (index * sectionSize))
            .Single(start => Int(elf, start + 4) == VersionNeedSection);
        int strings = (int)Long(elf, sections + ((int)Int(elf, section + 0x28) * sectionSize) + 0x18);
        var versions = new List<(string, ushort)>();
        int need = (int)Long(elf, section + 0x18);
        while (true)
        {
            int entry = need + (int)Int(elf, need + 8);
            for (int left = Short(elf, need + 2); left > 0; left--)
            {
                int name = strings + (int)Int(elf, entry + 8);
                int length = elf.AsSpan(name).IndexOf((byte)0);
                versions.Add((Encoding.ASCII.GetString(elf, name, length), Short(elf, entry + 4)));
                entry += (int)Int(elf, entry + 12);
            }

            int next = (int)Int(elf, need + 12);
            if (next == 0)
            {
                return versions;
            }

            need += next;
        }
    }

    private static ushort Short(byte[] elf, int at) => BinaryPrimitives.ReadUInt16LittleEndian(elf.AsSpan(at));

    private static uint Int(byte[] elf, int at) => BinaryPrimitives.ReadUInt32LittleEndian(elf.AsSpan(at));

    private static ulong Long(byte[] elf, int at) => BinaryPrimitives.ReadUInt64LittleEndian(elf.AsSpan(at));
}
