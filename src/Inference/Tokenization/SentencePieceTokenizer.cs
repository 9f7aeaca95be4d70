using System.Text;
using Seq2Seq.Inference.Tokenization.AddedTokens;
using Seq2Seq.Inference.Tokenization.Layouts;
using Seq2Seq.Inference.Tokenization.SentencePiece;

namespace Seq2Seq.Inference.Tokenization;

/// <summary>
/// T5's tokenizer over a sentencepiece model: added tokens are cut out first, the text between them is encoded as the
/// sentencepiece library does, each sequence ends with the end token. Decoding leaves out or writes special tokens as
/// Hugging Face does.
/// </summary>
internal sealed class SentencePieceTokenizer : Tokenizer
{
    private readonly SentencePieceProcessor _processor;
    private readonly AddedVocabulary _added;
    private readonly IReadOnlyList<string> _extraPieces;
    private readonly int? _endId;
    private readonly int _maxLength;
    private readonly bool _cleanUp;
    private readonly bool _truncateLeft;

    public SentencePieceTokenizer(
        SentencePieceProcessor processor,
        AddedVocabulary added,
        IReadOnlyList<string> extraPieces,
        TokenizerSettings settings
    )
    {
        (_processor, _added, _extraPieces) = (processor, added, extraPieces);
        _endId = added.Id(settings.Token("eos_token")?.Content ?? "</s>");
        _maxLength = settings.Int32("model_max_length") ?? int.MaxValue;
        _cleanUp = settings.Boolean("clean_up_tokenization_spaces") ?? false;
        _truncateLeft = settings.String("truncation_side") == "left";
    }

    public override IReadOnlyList<int> Encode(string text, EncodeOptions options)
    {
        var first = EncodeSequence(text, options);
        // An empty pair is none.
        var second = string.IsNullOrEmpty(options.TextPair) ? null : EncodeSequence(options.TextPair, options);
        var ends = options.AddSpecialTokens && _endId is not null;
        var room = (options.MaxLength ?? _maxLength) - (ends ? (second is null ? 1 : 2) : 0);
        Truncation.Apply(first, second, room, Truncation.Parse(options.Truncation), _truncateLeft);
        if (ends)
            first.Add(_endId!.Value);
        if (second is null)
            return first;
        first.AddRange(second);
        if (ends)
            first.Add(_endId!.Value);
        return first;
    }

    public override string Decode(IReadOnlyList<int> tokenIds, DecodeOptions options)
    {
        var text = new StringBuilder();
        var bytes = new List<byte>();
        var first = true;
        foreach (var id in tokenIds)
        {
            if (Token(id, out var piece) is not { } token || (options.SkipSpecialTokens && _added.IsSpecial(token)))
                continue;
            if (piece == PieceType.Byte)
            {
                bytes.Add(SentencePieceProcessor.ByteOf(token));
            }
            else
            {
                SentencePieceProcessor.AppendBytes(bytes, text);
                text.Append(first ? token.Replace("\u2581", "") : token.Replace('\u2581', ' '));
            }
            first = false;
        }
        SentencePieceProcessor.AppendBytes(bytes, text);
        return options.CleanUpTokenizationSpaces ?? _cleanUp ? TextCleaning.CleanUp(text.ToString()) : text.ToString();
    }

    private List<int> EncodeSequence(string text, EncodeOptions options)
    {
        text = TextCleaning.WellFormed(text);
        var ids = new List<int>(text.Length / 2 + 4);
        var segments = new List<TextSegment>();
        _added.Raw.Split(text, options.SplitSpecialTokens, segments);
        foreach (var (start, length, tokenId) in segments)
        {
            if (tokenId is { } id)
                ids.Add(id);
            else
                _processor.Encode(text.AsSpan(start, length), ids);
        }
        return ids;
    }

    private string? Token(int id, out PieceType type)
    {
        type = PieceType.Normal;
        if (_added.Tokens.TryGetValue(id, out var added))
            return added.Content;
        var pieces = _processor.Model.Pieces;
        if (id >= 0 && id < pieces.Count)
        {
            type = pieces[id].Type;
            return pieces[id].Text;
        }
        return id >= pieces.Count && id < pieces.Count + _extraPieces.Count ? _extraPieces[id - pieces.Count] : null;
    }
}
