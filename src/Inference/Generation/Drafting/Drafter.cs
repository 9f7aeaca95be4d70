namespace Seq2Seq.Inference.Generation.Drafting;

/// <summary>
/// Guesses the next tokens of one greedy sequence, for the decoder to verify in one step: copied from the source after a run
/// of tokens that stands there too (aggressive decoding, Sun et al. 2021, arXiv 2106.04970; Ge et al. 2022, arXiv
/// 2205.10350), or, once copying has proved right, on from where it went wrong; else as in earlier outputs. It guesses more
/// while it is right, and less after it was wrong.
/// </summary>
internal sealed class Drafter(DraftTable earlier, IReadOnlyList<int> source)
{
    /// <summary>Guesses of one step at most.</summary>
    public const int LongestDraft = 16;

    /// <summary>Tokens that source and output must share before what follows is copied.</summary>
    private const int SharedTokens = 2;

    private const int FirstDraft = 4;

    /// <summary>Copied tokens that must have been right before copying goes on after one that was wrong.</summary>
    private const int EnoughCopies = 2;
    private const int Nowhere = -1;

    private readonly int[] _source = [.. source];

    /// <summary>Where in the source each guess was copied from, or <see cref="Nowhere"/>.</summary>
    private readonly int[] _origins = new int[LongestDraft];

    private int _patience = FirstDraft;

    /// <summary>Where in the source the next token is expected to stand, or <see cref="Nowhere"/>.</summary>
    private int _next = earlier.StartOfCopies;

    /// <summary>Whether that token has come, which nobody guessed right.</summary>
    private bool _isPassed;
    private int _copies;

    /// <summary>Appends guesses to a sequence.</summary>
    /// <param name="sequence">The tokens that are certain, and room for guesses behind them.</param>
    /// <param name="length">Number of the certain ones.</param>
    /// <param name="most">Guesses at most.</param>
    /// <returns>Number of guesses.</returns>
    public int Guess(Span<int> sequence, int length, int most)
    {
        int next = _isPassed && _next != Nowhere ? Behind(sequence[length - 1]) : _next;
        int drafted = 0;
        for (int limit = Math.Min(most, _patience); drafted < limit; drafted++)
        {
            ReadOnlySpan<int> known = sequence[..(length + drafted)];
            next = TryMatch(known, out int match) ? match : next;
            bool isCopy = next != Nowhere && next < _source.Length;
            int token = isCopy ? _source[next] : Nowhere;
            if (!isCopy && !earlier.TryGuess(known, out token))
            {
                break;
            }

            sequence[length + drafted] = token;
            _origins[drafted] = isCopy ? next++ : Nowhere;
        }

        return drafted;
    }

    /// <summary>Says how many of how many guesses were right.</summary>
    public void Learn(int right, int drafted)
    {
        if (drafted == 0)
        {
            // Without a guess the sequence went on all the same.
            _next = Nowhere;
            return;
        }

        _patience = right == drafted ? Math.Min(LongestDraft, Math.Max(_patience, 2 * drafted)) : right + 1;
        _copies += right - _origins.AsSpan(0, right).Count(Nowhere);
        int last = _origins[Math.Min(right, drafted - 1)];
        // The verifying step brought one token more: behind the last guess, or in the place of the wrong one.
        _isPassed = true;
        _next =
            last == Nowhere ? Nowhere
            : right == drafted ? last + 1
            : _copies >= EnoughCopies ? last
            : Nowhere;
    }

    /// <summary>Says what became of the sequence, for the guesses of others.</summary>
    public void Finish(ReadOnlySpan<int> sequence)
    {
        earlier.Learn(sequence);
        earlier.LearnStart(
            sequence.Length > SharedTokens ? _source.AsSpan().IndexOf(sequence.Slice(1, SharedTokens)) : Nowhere
        );
    }

    /// <summary>Where copying goes on behind a token that was to be that of <see cref="_next"/>.</summary>
    private int Behind(int token)
    {
        // Another one took its place, or it was left out.
        bool isLeftOut = _next + 1 < _source.Length && _source[_next] != token && _source[_next + 1] == token;
        return _next + (isLeftOut ? 2 : 1);
    }

    /// <summary>Where what follows the last tokens stands in the source, if they stand there too.</summary>
    private bool TryMatch(ReadOnlySpan<int> sequence, out int next)
    {
        int start = sequence.Length > SharedTokens ? _source.AsSpan().LastIndexOf(sequence[^SharedTokens..]) : Nowhere;
        next = start + SharedTokens;
        return start != Nowhere && next < _source.Length;
    }
}
