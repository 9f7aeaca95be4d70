using System;
using System.IO;
using System.Text;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

/// <summary>
/// Copies an ELF shared object and sets the weak flag (VER_FLG_WEAK) on one entry of its version-need table, so that the
/// dynamic linker accepts a system library that lacks that version. Fails when the entry is absent: then the package has
/// changed, and the step that calls this task must be looked at again.
/// </summary>
// Layout, ELF64 little-endian (gABI and the GNU symbol-versioning extension):
//   Ehdr     0x28 e_shoff u64 · 0x3A e_shentsize u16 · 0x3C e_shnum u16
//   Shdr     0x04 sh_type u32 · 0x18 sh_offset u64 · 0x28 sh_link u32 (for SHT_GNU_verneed: its string table)
//   Verneed  u16 vn_version, u16 vn_cnt, u32 vn_file, u32 vn_aux, u32 vn_next
//   Vernaux  u32 vna_hash, u16 vna_flags, u16 vna_other, u32 vna_name, u32 vna_next
public class WeakenVersionNeed : Task
{
    private const uint SectionTypeVersionNeed = 0x6ffffffe;
    private const ushort FlagWeak = 2;

    [Required]
    public string Source { get; set; }

    [Required]
    public string Destination { get; set; }

    [Required]
    public string Version { get; set; }

    public override bool Execute()
    {
        if (File.Exists(Destination) && File.GetLastWriteTimeUtc(Destination) == File.GetLastWriteTimeUtc(Source))
        {
            return true;
        }

        byte[] elf = File.ReadAllBytes(Source);
        int weakened = Weaken(elf);
        if (weakened == 0)
        {
            Log.LogError("{0} has no version-need entry {1}: is this step still needed?", Source, Version);
            return false;
        }

        // A new file, moved into place: the destination may be a hard link to something that must not change.
        Directory.CreateDirectory(Path.GetDirectoryName(Destination));
        string fresh = Destination + "." + Guid.NewGuid().ToString("N");
        File.WriteAllBytes(fresh, elf);
        File.SetLastWriteTimeUtc(fresh, File.GetLastWriteTimeUtc(Source));
        if (File.Exists(Destination))
        {
            File.Delete(Destination);
        }

        File.Move(fresh, Destination);
        return true;
    }

    private int Weaken(byte[] elf)
    {
        int weakened = 0;
        long sections = (long)BitConverter.ToUInt64(elf, 0x28);
        int size = BitConverter.ToUInt16(elf, 0x3A);
        int count = BitConverter.ToUInt16(elf, 0x3C);
        for (int i = 0; i < count; i++)
        {
            int section = (int)(sections + (long)i * size);
            if (BitConverter.ToUInt32(elf, section + 0x04) != SectionTypeVersionNeed)
            {
                continue;
            }

            int linked = (int)(sections + (long)BitConverter.ToUInt32(elf, section + 0x28) * size);
            int strings = (int)BitConverter.ToUInt64(elf, linked + 0x18);
            int need = (int)BitConverter.ToUInt64(elf, section + 0x18);
            while (true)
            {
                int entry = need + (int)BitConverter.ToUInt32(elf, need + 8);
                for (int left = BitConverter.ToUInt16(elf, need + 2); left > 0; left--)
                {
                    if (NameAt(elf, strings + (int)BitConverter.ToUInt32(elf, entry + 8)) == Version)
                    {
                        elf[entry + 4] |= (byte)FlagWeak;
                        weakened++;
                    }

                    entry += (int)BitConverter.ToUInt32(elf, entry + 12);
                }

                int next = (int)BitConverter.ToUInt32(elf, need + 12);
                if (next == 0)
                {
                    break;
                }

                need += next;
            }
        }

        return weakened;
    }

    private static string NameAt(byte[] elf, int start)
    {
        int end = Array.IndexOf(elf, (byte)0, start);
        return Encoding.ASCII.GetString(elf, start, end - start);
    }
}
