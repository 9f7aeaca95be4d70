namespace Seq2Seq.Inference.Weights;

/// <summary>One tensor as a weights file holds it: its numbers lie one after another in row-major order. Nothing is read yet.</summary>
internal sealed record StoredTensor
{
    /// <summary>The name in the file.</summary>
    public required string Name { get; init; }

    /// <summary>The file, relative to the model folder.</summary>
    public required string File { get; init; }

    public required ElementType Type { get; init; }

    public required long[] Shape { get; init; }

    public required ByteSource Source { get; init; }

    /// <summary>The byte of <see cref="Source"/> where the first element lies.</summary>
    public required long Offset { get; init; }

    public long ElementCount => TensorShape.ElementCount(Shape);

    /// <summary>Whether it is all that its source holds, so that its own checksum is the source's.</summary>
    public bool IsWholeSource => Offset == 0 && ElementCount * Type.Bytes == Source.Length;

    /// <summary>Where it begins in its file.</summary>
    public long Position => Source.Position + Offset;

    /// <summary>Type and shape: equal for tensors that read the same bytes alike.</summary>
    public string Layout => $"{Type.Name} {string.Join(',', Shape)}";
}
