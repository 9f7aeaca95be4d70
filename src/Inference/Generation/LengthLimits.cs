using System.Globalization;

namespace Seq2Seq.Inference.Generation;

/// <summary>
/// How long sequences may and must become, whatever they begin with (GenerationMixin._prepare_generated_length): the options that
/// count new tokens, wherever they come from, win over those that count all; where nobody says how many, 20 are generated, within
/// the model's positions.
/// </summary>
/// <param name="MaxNewTokens">Tokens to generate at most.</param>
/// <param name="MaxLength">Longest sequence, what it begins with included.</param>
/// <param name="MinNewTokens">Tokens to generate before an end token.</param>
/// <param name="MinLength">Length before which no end token may come, what it begins with included.</param>
/// <param name="MaxPositions">Longest sequence that the decoder has positions for, or null.</param>
internal sealed record LengthLimits(
    int? MaxNewTokens,
    int? MaxLength,
    int? MinNewTokens,
    int? MinLength,
    int? MaxPositions
)
{
    private const int DefaultNewTokens = 20;

    public int LeastAfter(int promptLength) => MinNewTokens is { } minNew ? minNew + promptLength : MinLength ?? 0;

    /// <exception cref="GenerationParametersException">The model's positions are too few.</exception>
    public int MostAfter(int promptLength)
    {
        int length = MaxNewTokens is { } maxNew
            ? maxNew + promptLength
            : MaxLength ?? Math.Min(DefaultNewTokens + promptLength, MaxPositions ?? int.MaxValue);

        // The last token is never fed back, so that it needs no position.
        if (MaxPositions is { } positions && length - 1 > positions)
        {
            throw new GenerationParametersException(
                MaxNewTokens is null ? "max_length" : "max_new_tokens",
                Text($"The output may become {length - 1} tokens long; the model's decoder has {positions} positions.")
            );
        }

        return length;
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
