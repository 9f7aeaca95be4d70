using System.Buffers.Binary;
using System.Text;

namespace Seq2Seq.EndToEnd.Tests;

/// <summary>
/// The program's copy of libLibTorchSharp.so asks for GLIBCXX_3.4.32 weakly, so that it loads on Debian 12 and Ubuntu 22.04,
/// whose newest is 3.4.30 (see build/LibTorch.targets). Nothing else that the native libraries need is newer than those systems.
/// </summary>
public sealed class NativeLibraryTests
{
    // ELF64, little-endian; the layout stands in build/WeakenVersionNeed.cs.
    private const uint VersionNeedSection = 0x6ffffffe;
    private const ushort Weak = 2;

    // The older of Debian 12 and Ubuntu 22.04 in each: glibc 2.35, libstdc++ of GCC 12.
    private static readonly Dictionary<string, Version> Newest = new(StringComparer.Ordinal)
    {
        ["GLIBC"] = new(2, 35),
        ["GLIBCXX"] = new(3, 4, 30),
        ["CXXABI"] = new(1, 3, 13),
    };

    [Fact]
    public void The_version_that_old_systems_lack_is_asked_for_weakly() =>
        VersionsNeeded(Path.Combine(Program.Folder, "libLibTorchSharp.so"))
            .Should()
            .ContainSingle(version => version.Flags == Weak)
            .Which.Name.Should()
            .Be("GLIBCXX_3.4.32");

    [Fact]
    public void Nothing_else_is_needed_that_old_systems_lack()
    {
        var needed = Directory
            .GetFiles(Program.Folder, "*.so*")
            .SelectMany(library => VersionsNeeded(library))
            .Where(version => version.Flags != Weak)
            .Select(version => version.Name.Split('_', 2))
            .Where(parts => parts.Length == 2 && Newest.ContainsKey(parts[0]))
            .ToList();

        needed.Should().Contain(parts => parts[0] == "GLIBCXX");
        needed
            .Where(parts => Version.Parse(parts[1]) > Newest[parts[0]])
            .Select(parts => string.Join('_', parts))
            .Should()
            .BeEmpty();
    }

    private static List<(string Name, ushort Flags)> VersionsNeeded(string path)
    {
        byte[] elf = File.ReadAllBytes(path);
        int sections = (int)Long(elf, 0x28);
        int sectionSize = Short(elf, 0x3A);
        int section = Enumerable
            .Range(0, Short(elf, 0x3C))
            .Select(index => sections + (index * sectionSize))
            .FirstOrDefault(start => Int(elf, start + 4) == VersionNeedSection);
        if (section == 0)
        {
            return [];
        }

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
