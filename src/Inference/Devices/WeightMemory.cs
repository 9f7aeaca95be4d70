using System.Runtime.InteropServices;

namespace Seq2Seq.Inference.Devices;

/// <summary>
/// Memory for weights, mapped from the system page by page and given back to it when a weight is freed. What a
/// <see cref="PreparedMemory"/> offers is taken first.
/// </summary>
internal static unsafe partial class WeightMemory
{
    private const int ReadAndWrite = 1 | 2;
    private const int PrivateAnonymous = 2 | 0x20;
    private static readonly nuint _pageSize = (nuint)Environment.SystemPageSize;

    /// <summary>Whether this system is one whose memory is mapped here.</summary>
    public static bool IsSupported => OperatingSystem.IsLinux();

    /// <param name="bytes">More than none.</param>
    /// <returns>The first byte, on a page's boundary; all are zero. Null when the system has no more.</returns>
    public static void* TryAllocate(nuint bytes)
    {
        nuint whole = WholePages(bytes);
        void* prepared = PreparedMemory.Take(whole);
        return prepared is null ? TryMap(whole) : prepared;
    }

    /// <param name="memory">What <see cref="TryAllocate"/> gave.</param>
    /// <param name="bytes">As many as it was asked for.</param>
    public static void Free(void* memory, nuint bytes) => Unmap(memory, WholePages(bytes));

    /// <summary>A range of its own, on huge pages where the system has them.</summary>
    /// <param name="bytes">A multiple of a page.</param>
    /// <returns>Null when the system has no more.</returns>
    public static void* TryMap(nuint bytes)
    {
        void* memory = MemoryMap(null, bytes, ReadAndWrite, PrivateAnonymous, descriptor: -1, offset: 0);
        if ((nint)memory == -1)
        {
            return null;
        }

        HugePages.Advise(memory, bytes);
        return memory;
    }

    /// <summary>Gives a part of a range back, or all of it.</summary>
    public static void Unmap(void* memory, nuint bytes) => _ = MemoryUnmap(memory, bytes);

    private static nuint WholePages(nuint bytes) => (bytes + _pageSize - 1) / _pageSize * _pageSize;

    [LibraryImport("libc", EntryPoint = "mmap")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial void* MemoryMap(
        void* address,
        nuint bytes,
        int protection,
        int flags,
        int descriptor,
        nint offset
    );

    [LibraryImport("libc", EntryPoint = "munmap")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int MemoryUnmap(void* memory, nuint bytes);
}
