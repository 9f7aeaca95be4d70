using Seq2Seq.Inference.Tests.Tokenization;
using Seq2Seq.Inference.Tokenization.Layouts;

namespace Seq2Seq.Inference.Tests.Families.Proof;

/// <summary>What the reference's answers to one tokenizer folder were seen to be met by, counted: a cell of docs/models.md.</summary>
/// <param name="Class">The class of transformers that the folder is read as.</param>
/// <param name="ModelType">The model type of its config.json; null when it has none.</param>
/// <param name="Answers">Encodings and decodings that are the reference's.</param>
internal sealed record TokenizerProof(string Class, string? ModelType, Count Answers)
{
    public static IReadOnlyList<TokenizerProof> SeeAll() =>
        [.. ReferenceFolders.All.AsParallel().AsOrdered().Select(row => See(ReferenceFolders.PathOf(row.Data)))];

    private static TokenizerProof See(string path)
    {
        (TokenizerFolder files, TokenizerLayout layout) = TokenizerFolder.Open(path);
        (List<string> misses, int asked) = new ReferenceCases(path).Run();
        return new TokenizerProof(
            TokenizerLayout.All.Single(known => ReferenceEquals(known.Value, layout)).Key,
            files.Config?.TryGetProperty("model_type", out var type) == true ? type.GetString() : null,
            new Count(asked - misses.Count, asked)
        );
    }
}
