using Seq2Seq.Inference.Tokenization.AddedTokens;
using Seq2Seq.Inference.Tokenization.SentencePiece;

namespace Seq2Seq.Inference.Tokenization.Layouts;

/// <summary>
/// T5's files: <c>spiece.model</c> and a configuration. The sentinels <c>&lt;extra_id_0&gt;</c>… stand behind the
/// pieces, the first one last; every sequence ends with <c>&lt;/s&gt;</c>.
/// </summary>
internal static class T5Layout
{
    private const int DefaultExtraIds = 100;

    public static Tokenizer Load(TokenizerFolder folder, string file)
    {
        var bytes = folder.Bytes(file);
        var processor = folder.Guard(file, () => new SentencePieceProcessor(SentencePieceModelReader.Read(bytes)));
        var settings = folder.Settings;
        var pieces = processor.Model.Pieces;
        var extraIds = Math.Clamp(settings.Int32("extra_ids") ?? DefaultExtraIds, 0, 1_000_000);
        string ExtraId(int index) => $"<extra_id_{index}>";

        var sentinels = Enumerable.Range(0, extraIds).Reverse().Select(ExtraId).ToArray();
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < pieces.Count; i++)
            ids[pieces[i].Text] = i;
        for (var i = 0; i < sentinels.Length; i++)
            ids[sentinels[i]] = pieces.Count + i;

        var added = new AddedVocabulary(
            token => ids.TryGetValue(token, out var id) ? id : null,
            pieces.Count + sentinels.Length
        );
        foreach (var token in settings.AddedTokens.Values.Concat(SpecialTokens(settings)))
            added.Add(token);
        var extra = settings.Has("extra_special_tokens")
            ? settings.ExtraSpecialTokens
            : Sentinels(processor.Model, extraIds, ExtraId);
        foreach (var token in extra)
            added.Add(token);
        return new SentencePieceTokenizer(processor, added, sentinels, settings);
    }

    private static IEnumerable<AddedToken> SpecialTokens(TokenizerSettings settings)
    {
        AddedToken Default(string content) => new(content) { Special = true };

        yield return settings.Token("eos_token") ?? Default("</s>");
        yield return settings.Token("unk_token") ?? Default("<unk>");
        yield return settings.Token("pad_token") ?? Default("<pad>");
    }

    private static IEnumerable<AddedToken> Sentinels(
        SentencePieceModel model,
        int extraIds,
        Func<int, string> extraId
    ) =>
        model
            .Pieces.Where(piece => piece.Type is PieceType.Control or PieceType.UserDefined)
            .Select(piece => new AddedToken(piece.Text) { Special = piece.Type == PieceType.Control })
            .Concat(Enumerable.Range(0, extraIds).Select(i => new AddedToken(extraId(i)) { Special = true }));
}
