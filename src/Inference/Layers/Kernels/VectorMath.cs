using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Seq2Seq.Inference.Layers.Kernels;

/// <summary>Transcendental functions of eight floats, to about two units in the last place.</summary>
internal static class VectorMath
{
    /// <summary><c>eˣ</c>; zero below −87.3, and the largest power below infinity above 88.3 (no sum of logits comes near).</summary>
    // x = n ln 2 + r with |r| ≤ ln 2 / 2; e^r by the polynomial of Cephes expf; 2^n by the exponent's bits. ln 2 is taken
    // off in two parts, so that r keeps its last bits.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Exp(Vector256<float> x)
    {
        Vector256<float> tooSmall = Vector256.LessThan(x, Vector256.Create(-87.3f));
        x = Vector256.Min(x, Vector256.Create(88.3f));
        Vector256<float> n = Vector256.Round(x * Vector256.Create(1.44269504f));
        Vector256<float> r = Vector256.MultiplyAddEstimate(n, Vector256.Create(-0.693359375f), x);
        r = Vector256.MultiplyAddEstimate(n, Vector256.Create(2.12194440e-4f), r);
        Vector256<float> p = Vector256.Create(1.9875691500e-4f);
        p = Vector256.MultiplyAddEstimate(p, r, Vector256.Create(1.3981999507e-3f));
        p = Vector256.MultiplyAddEstimate(p, r, Vector256.Create(8.3334519073e-3f));
        p = Vector256.MultiplyAddEstimate(p, r, Vector256.Create(4.1665795894e-2f));
        p = Vector256.MultiplyAddEstimate(p, r, Vector256.Create(1.6666665459e-1f));
        p = Vector256.MultiplyAddEstimate(p, r, Vector256.Create(5.0000001201e-1f));
        p = Vector256.MultiplyAddEstimate(p, r * r, r) + Vector256<float>.One;
        Vector256<int> power = (Vector256.ConvertToInt32(n) + Vector256.Create(127)) << 23;
        return Vector256.AndNot(p * power.AsSingle(), tooSmall);
    }

    /// <summary>Hyperbolic tangent, by <c>1 − 2 / (e²ˣ + 1)</c>: absolute error below 1e-7.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Tanh(Vector256<float> x)
    {
        // Beyond ±10 the result is ±1 to the last bit.
        Vector256<float> clamped = Vector256.Min(Vector256.Max(x, Vector256.Create(-10f)), Vector256.Create(10f));
        Vector256<float> e = Exp(clamped + clamped);
        return Vector256<float>.One - (Vector256.Create(2f) / (e + Vector256<float>.One));
    }

    /// <summary>Logistic function <c>1 / (1 + e⁻ˣ)</c>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Sigmoid(Vector256<float> x) =>
        Vector256<float>.One / (Vector256<float>.One + Exp(-x));

    /// <summary>Error function: absolute error below 2e-7.</summary>
    // Abramowitz and Stegun 7.1.26 on |x|, with the sign put back; torch's vectorised erf uses the same formula.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Erf(Vector256<float> x)
    {
        Vector256<float> sign = x & Vector256.Create(-0f);
        Vector256<float> a = Vector256.Abs(x);
        Vector256<float> t =
            Vector256<float>.One / Vector256.MultiplyAddEstimate(Vector256.Create(0.3275911f), a, Vector256<float>.One);
        Vector256<float> p = Vector256.Create(1.061405429f);
        p = Vector256.MultiplyAddEstimate(p, t, Vector256.Create(-1.453152027f));
        p = Vector256.MultiplyAddEstimate(p, t, Vector256.Create(1.421413741f));
        p = Vector256.MultiplyAddEstimate(p, t, Vector256.Create(-0.284496736f));
        p = Vector256.MultiplyAddEstimate(p, t, Vector256.Create(0.254829592f));
        return (Vector256<float>.One - (p * t * Exp(-(a * a)))) | sign;
    }
}
