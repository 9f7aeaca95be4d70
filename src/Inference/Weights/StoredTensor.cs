namespace Seq2Seq.Inference.Weights;

/// <summary>One tensor as a weights file holds it: where its numbers lie and how they are laid out. Nothing is read yet.</summary>
internal sealed record StoredTensor
{
    /// <summary>The name in the file.</summary>
    public required string Name { get; init; }

    /// <summary>The file, relative to the model folder.</summary>
    public required string File { get; init; }

    public required ElementType Type { get; init; }

    public required long[] Shape { get; init; }

    /// <summary>Elements from one index to the next, by dimension; null when they lie in row-major order without gaps.</summary>
    public long[]? Strides { get; init; }

    public required ByteSource Source { get; init; }

    /// <summary>The byte of <see cref="Source"/> where the first element lies.</summary>
    public required long Offset { get; init; }

    public long ElementCount => TensorShape.ElementCount(Shape);

    /// <summary>Equal for the same numbers in the same layout: tied tensors of a pickle share a storage.</summary>
    public (ByteSource Source, long Offset, string Layout) View =>
        (Source, Offset, $"{Type.Name} {string.Join(',', Shape)} {string.Join(',', Strides ?? [])}");
}
