namespace Seq2Seq.Inference.Generation;

/// <summary>
/// The random numbers of one sampled sequence: SplitMix64 (Steele, Lea and Flood 2014, "Fast splittable pseudorandom number
/// generators"), begun from the seed, the line's number and the sequence's index. So a sequence depends on neither its
/// neighbours in a batch nor the order in which lines are decoded.
/// </summary>
internal struct RandomStream
{
    private const ulong Gamma = 0x9E3779B97F4A7C15;

    private ulong _state;

    public RandomStream(long seed, long line, int sequence)
    {
        _state = Mix((ulong)seed + Gamma);
        _state = Mix((_state ^ (ulong)line) + Gamma);
        _state = Mix((_state ^ (ulong)sequence) + Gamma);
    }

    /// <summary>At least 0 and less than 1, with 53 random bits.</summary>
    public double NextDouble()
    {
        _state += Gamma;
        return (Mix(_state) >> 11) * (1.0 / (1UL << 53));
    }

    private static ulong Mix(ulong bits)
    {
        bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9;
        bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB;
        return bits ^ (bits >> 31);
    }
}
