using Seq2Seq.Inference.Loading;

namespace Seq2Seq.Inference.Weights;

/// <summary>Looks over the values of filled weights: what no weight may be, and what is odd.</summary>
internal static class WeightChecks
{
    /// <summary>Weights that hold NaN or infinity.</summary>
    public static IEnumerable<WeightProblem> NotFinite(IEnumerable<FilledWeight> weights)
    {
        foreach (FilledWeight weight in weights)
        {
            if (weight.NotFinite is { } found)
            {
                StoredTensor stored = weight.Stored;
                string cast = stored.Type == ElementType.Float64 ? " once it is float32" : "";
                yield return new WeightProblem(
                    LoadCodes.TensorNotFinite,
                    weight.Name,
                    $"{stored.File}: tensor '{stored.Name}' holds {found}{cast}; expected finite numbers."
                );
            }
        }
    }

    /// <summary>Matrices of zeros at the end of a file: what an interrupted download leaves of a preallocated one.</summary>
    public static IEnumerable<WeightProblem> ZeroTails(IEnumerable<FilledWeight> weights) =>
        weights
            .GroupBy(weight => weight.Stored.File, StringComparer.Ordinal)
            .SelectMany(ZeroTail)
            .Where(IsMatrix)
            .Select(weight => new WeightProblem(
                LoadCodes.WeightsZeroTail,
                weight.Name,
                $"{weight.Stored.File}: the file ends in zeros, all of tensor '{weight.Stored.Name}' among them; expected weights. Was its download interrupted?"
            ));

    /// <summary>Says of every matrix of zeros that it is one.</summary>
    public static IEnumerable<string> ZeroMatrices(IEnumerable<FilledWeight> weights) =>
        weights
            .Where(weight => weight.IsZero && IsMatrix(weight))
            .Select(weight => $"{weight.Stored.File}: every value of tensor '{weight.Stored.Name}' is zero.");

    private static IEnumerable<FilledWeight> ZeroTail(IEnumerable<FilledWeight> file) =>
        file.OrderByDescending(weight => weight.Stored.Position).TakeWhile(weight => weight.IsZero);

    private static bool IsMatrix(FilledWeight weight) => weight.Stored.Shape.Count(dimension => dimension > 1) >= 2;
}
