using Seq2Seq.Inference.Generation;

namespace Seq2Seq.Inference;

/// <summary>Finds equal lines: by text, or by token ids.</summary>
internal sealed class SequenceInputComparer : IEqualityComparer<SequenceInput>
{
    public static SequenceInputComparer Instance { get; } = new();

    public bool Equals(SequenceInput? x, SequenceInput? y) =>
        ReferenceEquals(x, y)
        || (
            x is not null
            && y is not null
            && string.Equals(x.Text, y.Text, StringComparison.Ordinal)
            && (x.TokenIds ?? []).SequenceEqual(y.TokenIds ?? [])
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
