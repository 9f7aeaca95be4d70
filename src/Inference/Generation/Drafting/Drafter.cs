namespace Seq2Seq.Inference.Generation.Drafting;

/// <summary>
/// Guesses the next tokens of one greedy sequence, for the decoder to verify in one step: copied from the source after a run
/// of tokens that stands there too (aggressive decoding, Sun et al. 2021, arXiv 2106.04970; Ge et al. 2022, arXiv
/// 2205.10350), else as in earlier outputs. It guesses more while it is right, and less after it was wrong.
/// </summary>
internal sealed class Drafter(DraftTable earlier, IReadOnlyList<int> source)
{
    /// <summary>Tokens that source and output must share before what follows is copied.</summary>
    private const int SharedTokens = 2;

    private const int FirstDraft = 4;

    /// <summary>Guesses of one step at most.</summary>
    public const int LongestDraft = 16;

    private readonly int[] _source = [.. source];
    private int _patience = FirstDraft;

    /// <summary>Appends guesses to a sequence.</summary>
    /// <param name="sequence">The tokens that are certain, and room for guesses behind them.</param>
    /// <param name="length">Number of the certain ones.</param>
    /// <param name="most">Guesses at most.</param>
    /// <returns>Number of guesses.</returns>
    public int Guess(Span<int> sequence, int length, int most)
    {
        int drafted = 0;
        for (int limit = Math.Min(most, _patience); drafted < limit; drafted++)
        {
            ReadOnlySpan<int> known = sequence[..(length + drafted)];
            if (!TryCopy(known, out int token) && !earlier.TryGuess(known, out token))
            {
                break;
            }

            sequence[length + drafted] = token;
        }

        return drafted;
    }

    /// <summary>Says how many of how many guesses were right.</summary>
    public void Learn(int right, int drafted)
    {
        if (drafted > 0)
        {
            _patience = right == drafted ? Math.Min(LongestDraft, Math.Max(_patience, 2 * drafted)) : right + 1;
        }
    }

    /// <summary>Says what became of the sequence, for the guesses of others.</summary>
    public void Finish(ReadOnlySpan<int> sequence) => earlier.Learn(sequence);

    private bool TryCopy(ReadOnlySpan<int> sequence, out int token)
    {
        if (sequence.Length > SharedTokens)
        {
            int start = _source.AsSpan().LastIndexOf(sequence[^SharedTokens..]);
            if (start >= 0 && start + SharedTokens < _source.Length)
            {
                token = _source[start + SharedTokens];
                return true;
            }
        }

        token = -1;
        return false;
    }
}
