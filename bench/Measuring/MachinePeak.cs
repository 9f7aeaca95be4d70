using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Seq2Seq.Inference.Devices;

namespace Seq2Seq.Bench.Measuring;

/// <summary>
/// What this machine can do at this moment: multiply-adds in registers, nothing else. No matrix product is faster; a kernel
/// is judged by its share of this.
/// </summary>
internal static unsafe class MachinePeak
{
    private const int Iterations = 2_000_000;

    // Twelve independent sums hide a latency of up to six cycles on two units.
    private const int Sums = 12;

    public static bool HasAvx2 => Avx2.IsSupported && Fma.IsSupported;

    public static bool HasAvx512 => Vector512.IsHardwareAccelerated && Avx512F.IsSupported;

    /// <summary>Peak of the calling thread's team in GFLOPS, with AVX2 or with AVX-512.</summary>
    public static double Gflops(bool wide)
    {
        Sample sample = Sample.Alternating(
            rounds: 7,
            minimumSeconds: 0,
            () =>
            {
                double sink = 0;
                ComputeTeam.Run(wide ? &RunWide : &RunNarrow, &sink, ComputeTeam.CurrentCount);
            }
        )[0];
        double operations = 2.0 * Iterations * Sums * (wide ? 16 : 8) * ComputeTeam.CurrentCount;
        return operations / sample.Median / 1e9;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunNarrow(void* state, int chunk, int chunks)
    {
        Vector256<float> x = Vector256.Create(0.999f);
        Vector256<float> y = Vector256.Create(1e-3f);
        Vector256<float> s0 = x,
            s1 = x,
            s2 = x,
            s3 = x,
            s4 = x,
            s5 = x;
        Vector256<float> s6 = x,
            s7 = x,
            s8 = x,
            s9 = x,
            s10 = x,
            s11 = x;
        for (int i = 0; i < Iterations; i++)
        {
            s0 = Fma.MultiplyAdd(s0, x, y);
            s1 = Fma.MultiplyAdd(s1, x, y);
            s2 = Fma.MultiplyAdd(s2, x, y);
            s3 = Fma.MultiplyAdd(s3, x, y);
            s4 = Fma.MultiplyAdd(s4, x, y);
            s5 = Fma.MultiplyAdd(s5, x, y);
            s6 = Fma.MultiplyAdd(s6, x, y);
            s7 = Fma.MultiplyAdd(s7, x, y);
            s8 = Fma.MultiplyAdd(s8, x, y);
            s9 = Fma.MultiplyAdd(s9, x, y);
            s10 = Fma.MultiplyAdd(s10, x, y);
            s11 = Fma.MultiplyAdd(s11, x, y);
        }

        if (chunk == 0)
        {
            *(double*)state = Vector256.Sum(s0 + s1 + s2 + s3 + s4 + s5 + s6 + s7 + s8 + s9 + s10 + s11);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunWide(void* state, int chunk, int chunks)
    {
        Vector512<float> x = Vector512.Create(0.999f);
        Vector512<float> y = Vector512.Create(1e-3f);
        Vector512<float> s0 = x,
            s1 = x,
            s2 = x,
            s3 = x,
            s4 = x,
            s5 = x;
        Vector512<float> s6 = x,
            s7 = x,
            s8 = x,
            s9 = x,
            s10 = x,
            s11 = x;
        for (int i = 0; i < Iterations; i++)
        {
            s0 = Avx512F.FusedMultiplyAdd(s0, x, y);
            s1 = Avx512F.FusedMultiplyAdd(s1, x, y);
            s2 = Avx512F.FusedMultiplyAdd(s2, x, y);
            s3 = Avx512F.FusedMultiplyAdd(s3, x, y);
            s4 = Avx512F.FusedMultiplyAdd(s4, x, y);
            s5 = Avx512F.FusedMultiplyAdd(s5, x, y);
            s6 = Avx512F.FusedMultiplyAdd(s6, x, y);
            s7 = Avx512F.FusedMultiplyAdd(s7, x, y);
            s8 = Avx512F.FusedMultiplyAdd(s8, x, y);
            s9 = Avx512F.FusedMultiplyAdd(s9, x, y);
            s10 = Avx512F.FusedMultiplyAdd(s10, x, y);
            s11 = Avx512F.FusedMultiplyAdd(s11, x, y);
        }

        if (chunk == 0)
        {
            *(double*)state = Vector512.Sum(s0 + s1 + s2 + s3 + s4 + s5 + s6 + s7 + s8 + s9 + s10 + s11);
        }
    }
}
