namespace Seq2Seq.Inference.Loading;

/// <summary>Something in a model folder that weights may be loaded from: a file, an index, or shards without one.</summary>
/// <param name="Target">The file, or the pattern of the shards: names it in the report.</param>
/// <param name="Files">The files, relative to the folder; those of an index are in the index.</param>
/// <param name="IndexExtension">For an index: what its shards' names end with.</param>
/// <param name="IsPreferred">Whether the rules of the hub name it first: it is loaded directly.</param>
internal sealed record WeightsCandidate(
    string Target,
    IReadOnlyList<string> Files,
    string? IndexExtension = null,
    bool IsPreferred = false
);
