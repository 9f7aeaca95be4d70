using Seq2Seq.Inference.Generation;

namespace Seq2Seq.Inference.LongLines;

/// <summary>Joins the outputs of a line's pieces to the line's one output.</summary>
internal static class PieceOutputs
{
    /// <summary>
    /// Texts with the white space of the source between them; token ids one after the other, end tokens included. The score is
    /// that of all tokens as one sequence: the sum of their log-probabilities divided by their number ^ length_penalty.
    /// </summary>
    public static SequenceOutput Join(
        IReadOnlyList<SourcePiece> pieces,
        IReadOnlyList<SequenceOutput> outputs,
        GenerationSettings settings
    )
    {
        int[] tokenIds = [.. outputs.SelectMany(output => output.TokenIds)];
        double logProbability = outputs.Sum(output => output.Score * settings.LengthDivisor(output.TokenIds.Count));
        return new SequenceOutput
        {
            Text = string.Concat(outputs.Zip(pieces, (output, piece) => output.Text + piece.Gap)),
            TokenIds = tokenIds,
            Score = logProbability / settings.LengthDivisor(tokenIds.Length),
            FinishReason = outputs.Any(output => output.FinishReason == FinishReason.Length)
                ? FinishReason.Length
                : FinishReason.Stop,
            TokenLogprobs = settings.TokenLogprobs ? [.. outputs.SelectMany(output => output.TokenLogprobs!)] : null,
        };
    }
}
