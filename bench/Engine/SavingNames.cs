using Seq2Seq.Inference.Loading;

namespace Seq2Seq.Bench.Engine;

/// <summary>The words for <see cref="LosslessSavings"/> on a command line.</summary>
internal static class SavingNames
{
    public const string EqualLines = "equal-lines";
    public const string PaddingRemoval = "padding-removal";
    public const string Screening = "screening";

    public static IReadOnlyList<string> All { get; } = [EqualLines, PaddingRemoval, Screening];

    /// <summary>All savings but some.</summary>
    public static LosslessSavings Without(IReadOnlyCollection<string> names) =>
        new()
        {
            EqualLines = !names.Contains(EqualLines, StringComparer.Ordinal),
            PaddingRemoval = !names.Contains(PaddingRemoval, StringComparer.Ordinal),
            Screening = !names.Contains(Screening, StringComparer.Ordinal),
        };
}
