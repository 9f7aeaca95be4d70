using System.Runtime.InteropServices;

namespace Seq2Seq.Inference.Generation.Drafting;

/// <summary>
/// What came after a few tokens in earlier outputs, to guess what comes next (n-gram drafting, as in Ou et al. 2024, arXiv
/// 2404.08698). Guesses are verified before they count, so that the table changes speed and nothing else. Of fixed size:
/// what was seen last takes the place of what was not confirmed. Not thread-safe.
/// </summary>
internal sealed class DraftTable
{
    private const int LongestContext = 4;
    private const int Slots = 1 << 14;
    private const int MostConfident = 7;

    /// <summary>Guesses that were right less often than that are not worth a row.</summary>
    private const int ConfidentEnough = 2;

    private readonly Entry[] _entries = new Entry[Slots];
    private Entry _start;

    /// <summary>Where in their sources outputs begin that copy them; -1 while that is not known, or they don't.</summary>
    public int StartOfCopies => _start.Confidence >= ConfidentEnough ? _start.Token : -1;

    /// <summary>Learns from a finished sequence, the decoder start token included.</summary>
    public void Learn(ReadOnlySpan<int> sequence)
    {
        for (int end = 1; end < sequence.Length; end++)
        {
            for (int length = 1; length <= Math.Min(LongestContext, end); length++)
            {
                Learn(HashOf(sequence.Slice(end - length, length)), sequence[end]);
            }
        }
    }

    /// <summary>Learns where in its source an output begins; -1 for one that begins with something else.</summary>
    public void LearnStart(int start) => Learn(ref _start, check: 0, start);

    /// <summary>The token that came after the longest known end of the sequence.</summary>
    public bool TryGuess(ReadOnlySpan<int> sequence, out int token)
    {
        for (int length = Math.Min(LongestContext, sequence.Length); length > 0; length--)
        {
            uint hash = HashOf(sequence[^length..]);
            ref Entry entry = ref _entries[hash % Slots];
            if (entry.Check == hash && entry.Confidence > 0)
            {
                token = entry.Token;
                return entry.Confidence >= ConfidentEnough;
            }
        }

        token = -1;
        return false;
    }

    private void Learn(uint hash, int token) => Learn(ref _entries[hash % Slots], hash, token);

    private static void Learn(ref Entry entry, uint check, int token)
    {
        if (entry.Check == check && entry.Token == token)
        {
            entry.Confidence = (byte)Math.Min(MostConfident, entry.Confidence + 1);
        }
        else if (entry.Confidence > 1 && entry.Check == check)
        {
            // Wrong once: half as sure.
            entry.Confidence /= 2;
        }
        else
        {
            entry = new Entry
            {
                Check = check,
                Token = token,
                Confidence = 1,
            };
        }
    }

    /// <summary>FNV-1a over the bytes, as 32 bits are enough to tell contexts apart.</summary>
    private static uint HashOf(ReadOnlySpan<int> context)
    {
        uint hash = 2166136261 + (uint)context.Length;
        foreach (byte value in MemoryMarshal.AsBytes(context))
        {
            hash = (hash ^ value) * 16777619;
        }

        return hash;
    }

    private struct Entry
    {
        public uint Check;
        public int Token;
        public byte Confidence;
    }
}
