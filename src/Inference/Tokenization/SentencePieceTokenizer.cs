using Seq2Seq.Inference.Tokenization.AddedTokens;
using Seq2Seq.Inference.Tokenization.Decoders;
using Seq2Seq.Inference.Tokenization.SentencePiece;
using Seq2Seq.Inference.Tokenization.Unicode;

namespace Seq2Seq.Inference.Tokenization;

/// <summary>
/// A tokenizer whose folder has a sentencepiece model and nothing of the tokenizers library. Plain text gets the ids of
/// the sentencepiece library, which the model was trained with; what sentencepiece knows nothing of gets those of
/// transformers: pairs, truncation, added tokens in the text, and (T5) no end token or (Llama) a beginning.
/// </summary>
/// <param name="framesPlainText">Whether plain text is one that special tokens go around, or one without any.</param>
/// <param name="transformers">transformers' reading of the model; null where it has none (a model without charsmap).</param>
internal sealed class SentencePieceTokenizer(
    SentencePieceProcessor processor,
    AddedVocabulary added,
    PipelineSettings settings,
    bool framesPlainText,
    Tokenizer? transformers
) : Tokenizer
{
    internal SentencePieceModel Model => processor.Model;

    internal bool FramesPlainText => framesPlainText;

    public override int? ModelMaxLength => settings.MaxLength == int.MaxValue ? null : settings.MaxLength;

    public override IReadOnlyList<int> Encode(string text, EncodeOptions options)
    {
        text = TextCleaning.WellFormed(text);
        if (transformers is not null && !(IsPlain(options) && (options.SplitSpecialTokens || HasNoAddedTokens(text))))
            return transformers.Encode(text, options);

        var first = EncodeSequence(text, options.SplitSpecialTokens);
        var second = string.IsNullOrEmpty(options.TextPair)
            ? null
            : EncodeSequence(TextCleaning.WellFormed(options.TextPair), options.SplitSpecialTokens);
        var frame = settings.PostProcessor;
        var room =
            (options.MaxLength ?? settings.MaxLength)
            - (options.AddSpecialTokens && frame is not null ? frame.CountAdded(second is not null) : 0);
        Truncation.Apply(first, second, room, Truncation.Parse(options.Truncation), settings.TruncateLeft);
        List<List<int>> sequences = second is null ? [first] : [first, second];
        if (frame is not null)
            sequences = frame.Process(sequences, options.AddSpecialTokens);
        for (var i = 1; i < sequences.Count; i++)
            sequences[0].AddRange(sequences[i]);
        return sequences[0];
    }

    public override string Decode(IReadOnlyList<int> tokenIds, DecodeOptions options)
    {
        if (transformers is not null)
            return transformers.Decode(tokenIds, options);
        var text = options.SkipSpecialTokens ? processor.Decode(tokenIds) : processor.Decode(tokenIds, added.TokenOf);
        return options.CleanUpTokenizationSpaces ?? settings.CleanUpSpaces ? TextCleaning.CleanUp(text) : text;
    }

    internal override byte[]? BytesOf(int tokenId) =>
        transformers is not null ? transformers.BytesOf(tokenId)
        : (uint)tokenId < (uint)processor.Model.Pieces.Count
        && processor.Model.Pieces[tokenId] is { Type: PieceType.Byte } piece
        && ByteFallbackDecoder.TryParse(piece.Text, out byte value)
            ? [value]
        : null;

    private bool IsPlain(EncodeOptions options) =>
        options.AddSpecialTokens == framesPlainText
        && options.TextPair is null
        && Truncation.Parse(options.Truncation) == TruncationStrategy.DoNotTruncate;

    /// <summary>Symbols that sentencepiece itself knows to keep whole are none here.</summary>
    private bool HasNoAddedTokens(string text)
    {
        if (!added.Raw.MayOccurIn(text))
            return true;
        var segments = new List<TextSegment>();
        added.Raw.Split(text, ignoreSpecial: false, segments);
        return segments.TrueForAll(segment => segment.TokenId is null || IsUserDefined(segment.TokenId.Value));
    }

    private bool IsUserDefined(int id) =>
        id < processor.Model.Pieces.Count && processor.Model.Pieces[id].Type == PieceType.UserDefined;

    private List<int> EncodeSequence(string text, bool splitSpecialTokens)
    {
        var ids = new List<int>(text.Length / 2 + 4);
        if (transformers is not null)
        {
            // Plain text.
            processor.Encode(text, ids);
            return ids;
        }
        var segments = new List<TextSegment>(1);
        added.Raw.Split(text, splitSpecialTokens, segments);
        foreach (var (start, length, tokenId) in segments)
        {
            if (tokenId is { } id)
                ids.Add(id);
            else
                processor.Encode(text.AsSpan(start, length), ids);
        }
        return ids;
    }
}
