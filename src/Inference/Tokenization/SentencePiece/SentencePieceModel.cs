namespace Seq2Seq.Inference.Tokenization.SentencePiece;

/// <summary>What a <c>spiece.model</c> says: pieces by id, and the few settings that matter after training.</summary>
internal sealed record SentencePieceModel
{
    public required IReadOnlyList<Piece> Pieces { get; init; }
    public SentencePieceAlgorithm Algorithm { get; init; } = SentencePieceAlgorithm.Unigram;
    public bool TreatWhitespaceAsSuffix { get; init; }
    public bool ByteFallback { get; init; }
    public int UnknownId { get; init; }
    public string UnknownSurface { get; init; } = " \u2047 ";
    public required NormalizerSettings Normalizer { get; init; }
    public NormalizerSettings? Denormalizer { get; init; }
}

internal sealed record NormalizerSettings
{
    public static NormalizerSettings Default { get; } = new();

    /// <summary>Empty for the identity.</summary>
    public byte[] CharsMap { get; init; } = [];
    public bool AddDummyPrefix { get; init; } = true;
    public bool RemoveExtraWhitespaces { get; init; } = true;
    public bool EscapeWhitespaces { get; init; } = true;
}

internal readonly record struct Piece(string Text, float Score, PieceType Type);

/// <summary>The numbers are the file's.</summary>
internal enum PieceType
{
    Normal = 1,
    Unknown = 2,
    Control = 3,
    UserDefined = 4,
    Unused = 5,
    Byte = 6,
}

/// <summary>The numbers are the file's.</summary>
internal enum SentencePieceAlgorithm
{
    Unigram = 1,
    Bpe = 2,
    Word = 3,
    Char = 4,
}
