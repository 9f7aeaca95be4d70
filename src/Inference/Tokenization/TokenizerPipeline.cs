using Seq2Seq.Inference.Tokenization.AddedTokens;
using Seq2Seq.Inference.Tokenization.Decoders;
using Seq2Seq.Inference.Tokenization.Models;
using Seq2Seq.Inference.Tokenization.Normalizers;
using Seq2Seq.Inference.Tokenization.PreTokenizers;

namespace Seq2Seq.Inference.Tokenization;

/// <summary>
/// The tokenizers library's way from text to ids and back: added tokens are cut out, the rest is normalised, cut into
/// pieces, and each piece into tokens; special tokens go around. Thread-safe once built.
/// </summary>
internal sealed class TokenizerPipeline
{
    /// <summary>For text that no special token may come of.</summary>
    private readonly Lazy<ITokenModel> _plainModel;

    public TokenizerPipeline(
        ITokenModel model,
        INormalizer? normalizer = null,
        IPreTokenizer? preTokenizer = null,
        ITokenDecoder? decoder = null
    )
    {
        (Normalizer, PreTokenizer, Model, Decoder) = (normalizer, preTokenizer, model, decoder);
        Added = new AddedVocabulary(model.IdOf, model.Size, normalizer);
        _plainModel = new Lazy<ITokenModel>(() => Model.Without(Added.Special));
    }

    public INormalizer? Normalizer { get; }

    public IPreTokenizer? PreTokenizer { get; }

    public ITokenModel Model { get; }

    public ITokenDecoder? Decoder { get; }

    public AddedVocabulary Added { get; }

    /// <summary>The ids of one text, without any frame.</summary>
    public List<int> EncodeSequence(string text, bool splitSpecialTokens)
    {
        var model = splitSpecialTokens ? _plainModel.Value : Model;
        var ids = new List<int>(text.Length / 2 + 4);
        foreach (var (piece, tokenId) in Cut(text, splitSpecialTokens))
        {
            if (tokenId is { } added)
                ids.Add(added);
            else
                model.Tokenize(piece.Span, ids);
        }
        return ids;
    }

    /// <summary>Both sequences cut to a length, framed and joined.</summary>
    public List<int> Encode(string text, string? pair, PipelineEncoding encoding)
    {
        var first = EncodeSequence(text, encoding.SplitSpecialTokens);
        var second = pair is null ? null : EncodeSequence(pair, encoding.SplitSpecialTokens);
        var added = encoding.AddSpecialTokens ? encoding.PostProcessor?.CountAdded(second is not null) ?? 0 : 0;
        Truncation.Apply(first, second, encoding.MaxLength - added, encoding.Strategy, encoding.TruncateLeft);

        List<List<int>> sequences = second is null ? [first] : [first, second];
        if (encoding.PostProcessor is not null)
            sequences = encoding.PostProcessor.Process(sequences, encoding.AddSpecialTokens);
        return sequences.Count == 1 ? sequences[0] : [.. sequences.SelectMany(sequence => sequence)];
    }

    /// <summary>The text of ids; those that nobody knows give none.</summary>
    public string Decode(IReadOnlyList<int> ids, bool skipSpecialTokens)
    {
        var tokens = new List<string>(ids.Count);
        foreach (var id in ids)
        {
            var token = Added.TokenOf(id) ?? Model.TokenOf(id);
            if (token is not null && !(skipSpecialTokens && Added.IsSpecial(token)))
                tokens.Add(token);
        }
        return Decoder is null ? string.Join(' ', tokens) : string.Concat(Decoder.Decode(tokens));
    }

    public byte[]? BytesOf(int id) =>
        (Added.TokenOf(id) ?? Model.TokenOf(id)) is { } token ? Decoder?.BytesOf(token) : null;

    private List<(TextPiece Piece, int? TokenId)> Cut(string text, bool splitSpecialTokens)
    {
        var result = new List<(TextPiece, int?)>();
        var (raw, segments, parts) = (new List<TextSegment>(), new List<TextSegment>(), new List<TextPiece>());
        Added.Raw.Split(text, splitSpecialTokens, raw);
        foreach (var (start, length, tokenId) in raw)
        {
            if (tokenId is not null)
            {
                result.Add((default, tokenId));
                continue;
            }
            var piece = Normalize(new TextPiece(text, start, length, start == 0 ? Math.Min(1, length) : 0));
            segments.Clear();
            Added.Normalized.Split(piece.Span, splitSpecialTokens, segments);
            foreach (var segment in segments)
            {
                if (segment.TokenId is not null)
                {
                    result.Add((default, segment.TokenId));
                    continue;
                }
                parts.Clear();
                PreTokenize(piece.Slice(segment.Start, segment.Length), parts);
                foreach (var part in parts)
                    result.Add((part, null));
            }
        }
        return result;
    }

    private TextPiece Normalize(TextPiece piece)
    {
        if (Normalizer is null || piece.Length == 0)
            return piece;
        var text = new NormalizedText(piece.ToString(), piece.AtOrigin);
        Normalizer.Normalize(text);
        return text.Piece;
    }

    private void PreTokenize(TextPiece piece, List<TextPiece> parts)
    {
        if (piece.Length == 0)
            return;
        if (PreTokenizer is null)
            parts.Add(piece);
        else
            PreTokenizer.Split(piece, parts);
    }
}
