namespace Seq2Seq.Inference.Weights.Zip;

/// <summary>One entry of a zip archive, as its central directory and its local header agree on it.</summary>
internal sealed record ZipEntry
{
    public required string Name { get; init; }

    public required bool IsDeflated { get; init; }

    public required uint Crc { get; init; }

    public required long CompressedSize { get; init; }

    public required long Size { get; init; }

    /// <summary>Where the entry's bytes begin in the file.</summary>
    public required long DataOffset { get; init; }
}
