using Seq2Seq.Inference.Generation;

namespace Seq2Seq.Inference;

/// <summary>Finds equal lines: by text or token ids, of source, target and prefix.</summary>
internal sealed class SequenceInputComparer : IEqualityComparer<SequenceInput>
{
    public static SequenceInputComparer Instance { get; } = new();

    public bool Equals(SequenceInput? x, SequenceInput? y) =>
        ReferenceEquals(x, y)
        || (
            x is not null
            && y is not null
            && string.Equals(x.Text, y.Text, StringComparison.Ordinal)
            && string.Equals(x.TargetText, y.TargetText, StringComparison.Ordinal)
            && string.Equals(x.PrefixText, y.PrefixText, StringComparison.Ordinal)
            && AreEqual(x.TokenIds, y.TokenIds)
            && AreEqual(x.TargetTokenIds, y.TargetTokenIds)
            && AreEqual(x.PrefixTokenIds, y.PrefixTokenIds)
        );

    public int GetHashCode(SequenceInput obj)
    {
        HashCode hash = default;
        hash.Add(obj.Text, StringComparer.Ordinal);
        foreach (int token in obj.TokenIds ?? [])
        {
            hash.Add(token);
        }

        return hash.ToHashCode();
    }

    private static bool AreEqual(IReadOnlyList<int>? x, IReadOnlyList<int>? y) =>
        x is null == y is null && (x ?? []).SequenceEqual(y ?? []);
}
