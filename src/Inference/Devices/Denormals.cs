using System.Runtime.InteropServices;

namespace Seq2Seq.Inference.Devices;

/// <summary>
/// Flushes denormal floats to zero on the calling thread: each would cost a hundred cycles, and small models meet many.
/// </summary>
// The switch is a bit of a thread's MXCSR register (Intel SDM vol. 1, 10.2.3), which no managed call sets, and torch's own
// has no binding. The C library reads and writes the register as the last four bytes of fenv_t (x86-64 ABI of glibc).
// Results only: the register's other bit, which reads denormal operands as zero too, must stay off. The JIT compiles on the
// thread that first calls a method, and with that bit on it takes vector constants such as (127, 127, …), whose bits are
// denormal floats, for zero; methods compiled there compute wrongly ever after.
internal static unsafe partial class Denormals
{
    private const int EnvironmentBytes = 32;
    private const int RegisterOffset = 28;
    private const uint FlushToZero = 0x8000;

    /// <summary>Whether this platform's switch is known.</summary>
    public static bool CanFlush { get; } =
        OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64;

    /// <summary>Switches flushing on; nothing where <see cref="CanFlush"/> is false.</summary>
    public static void Flush()
    {
        if (!CanFlush)
        {
            return;
        }

        byte* environment = stackalloc byte[EnvironmentBytes];
        _ = GetEnvironment(environment);
        *(uint*)(environment + RegisterOffset) |= FlushToZero;
        _ = SetEnvironment(environment);
    }

    [LibraryImport("libm.so.6", EntryPoint = "fegetenv")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int GetEnvironment(byte* environment);

    [LibraryImport("libm.so.6", EntryPoint = "fesetenv")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetEnvironment(byte* environment);
}
