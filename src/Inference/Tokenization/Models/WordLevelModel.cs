namespace Seq2Seq.Inference.Tokenization.Models;

/// <summary>Whole words only (<c>WordLevel</c>).</summary>
internal sealed class WordLevelModel(Vocabulary vocabulary, string unknownToken) : ITokenModel
{
    private readonly int? _unknownId = vocabulary.IdOf(unknownToken);

    public int Size => vocabulary.Count;

    public int? IdOf(string token) => vocabulary.IdOf(token);

    public string? TokenOf(int id) => vocabulary.TokenOf(id);

    public void Tokenize(ReadOnlySpan<char> piece, List<int> ids) =>
        ids.Add(
            vocabulary.TryGetId(piece, out var id)
                ? id
                : _unknownId ?? throw EncodeException.NoUnknownToken(unknownToken)
        );

    public ITokenModel Without(IReadOnlySet<string> tokens) =>
        new WordLevelModel(
            vocabulary.Without(tokens.Except([unknownToken], StringComparer.Ordinal).ToHashSet(StringComparer.Ordinal)),
            unknownToken
        );
}
