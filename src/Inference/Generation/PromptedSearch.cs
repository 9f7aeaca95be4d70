namespace Seq2Seq.Inference.Generation;

/// <summary>
/// Feeds a prompt of several tokens before a search begins, in pieces: of what the decoder says, only what comes after the
/// prompt's last token is the search's. From then on it is the search itself.
/// </summary>
internal sealed class PromptedSearch(SequenceSearch search, GenerationSettings settings) : SequenceSearch
{
    private const int MaxTokensPerStep = 32;

    private readonly int[] _prompt = [.. settings.Prompt];
    private int _fed;

    public override int Rows => search.Rows;

    public override bool IsFinished => search.IsFinished;

    public override int Length => IsFed ? search.Length : _fed + 1;

    private bool IsFed => _fed == _prompt.Length;

    /// <summary>Rows that feeding a prompt takes.</summary>
    public static int RowsOf(IReadOnlyList<int> prompt) => Math.Min(prompt.Count, MaxTokensPerStep);

    public override ReadOnlySpan<int> TokensOf(int row) =>
        IsFed ? search.TokensOf(row) : _prompt.AsSpan(_fed, NextOfPrompt);

    public override int Draft(int most) => IsFed ? search.Draft(most) : 0;

    public override bool NeedsOnlyLikeliest(List<int> wanted) => IsFed && search.NeedsOnlyLikeliest(wanted);

    // While the prompt is fed there is one row.
    public override int ParentOf(int row) => IsFed ? search.ParentOf(row) : 0;

    public override void Advance(Span<float> logits)
    {
        if (IsFed)
        {
            search.Advance(logits);
            return;
        }

        _fed += NextOfPrompt;
        if (IsFed)
        {
            search.Advance(logits[^settings.VocabularySize..]);
        }
    }

    public override IReadOnlyList<SequenceOutput> Outputs() => search.Outputs();

    private int NextOfPrompt => Math.Min(MaxTokensPerStep, _prompt.Length - _fed);
}
