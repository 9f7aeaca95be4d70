using Seq2Seq.Inference.Generation;

namespace Seq2Seq.Inference;

/// <summary>Finds equal lines: by text or token ids, of source and target.</summary>
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
            && (x.TokenIds ?? []).SequenceEqual(y.TokenIds ?? [])
            && x.TargetTokenIds is null == y.TargetTokenIds is null
            && (x.TargetTokenIds ?? []).SequenceEqual(y.TargetTokenIds ?? [])
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
}
