using System.Runtime.InteropServices;

namespace Seq2Seq.Inference.Devices;

/// <summary>
/// Flushes denormal floats to zero on the calling thread: each would cost a hundred cycles, and small models meet many.
/// </summary>
// The switch is two bits of a thread's MXCSR register (Intel SDM vol. 1, 10.2.3), which no managed call sets, and torch's
// own has no binding. The C library reads and writes the register as the last four bytes of fenv_t (x86-64 ABI of glibc).
internal static unsafe partial class Denormals
{
    private const int EnvironmentBytes = 32;
    private const int RegisterOffset = 28;
    private const uint FlushToZero = 0x8000;
    private const uint DenormalsAreZero = 0x0040;

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
        *(uint*)(environment + RegisterOffset) |= FlushToZero | DenormalsAreZero;
        _ = SetEnvironment(environment);
    }

    [LibraryImport("libm.so.6", EntryPoint = "fegetenv")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int GetEnvironment(byte* environment);

    [LibraryImport("libm.so.6", EntryPoint = "fesetenv")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetEnvironment(byte* environment);
}
