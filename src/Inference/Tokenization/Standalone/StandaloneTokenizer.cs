using Seq2Seq.Inference.Tokenization.Layouts;
using Seq2Seq.Inference.Tokenization.Unicode;

namespace Seq2Seq.Inference.Tokenization.Standalone;

/// <summary>
/// A tokenizer that transformers has in Python, beside the tokenizers library (<c>PythonBackend</c>): added tokens are cut
/// out of the text, a rule of its own makes ids of the rest, and another one text of tokens. Thread-safe.
/// </summary>
internal abstract class StandaloneTokenizer : Tokenizer
{
    private readonly int _maxLength;
    private readonly bool _truncatesLeft;
    private readonly bool _splitsSpecialTokens;
    private readonly bool _cleansUp;

    protected StandaloneTokenizer(TokenizerSettings settings, AddedWords added, bool cleansUp = false)
    {
        Added = added;
        _maxLength = settings.Int32("model_max_length") ?? int.MaxValue;
        _truncatesLeft = settings.String("truncation_side") == "left";
        _splitsSpecialTokens = settings.Boolean("split_special_tokens") ?? false;
        _cleansUp = settings.Boolean("clean_up_tokenization_spaces") ?? cleansUp;
    }

    protected AddedWords Added { get; }

    public sealed override int? ModelMaxLength => _maxLength == int.MaxValue ? null : _maxLength;

    /// <summary>Whether a call's own wish for clean spaces counts.</summary>
    protected virtual bool HeedsCleanUpOption => true;

    public sealed override IReadOnlyList<int> Encode(string text, EncodeOptions options)
    {
        var frame = FrameOf(options);
        var first = EncodeSequence(TextCleaning.WellFormed(text), options);
        // Here an empty pair is a pair.
        var second = options.TextPair is null
            ? null
            : EncodeSequence(TextCleaning.WellFormed(options.TextPair), options);
        var maxLength = options.MaxLength ?? _maxLength;
        var strategy = Truncation.Parse(options.Truncation);
        var added = options.AddSpecialTokens ? frame.CountAdded(second is not null) : 0;
        var surplus = first.Count + (second?.Count ?? 0) + added - maxLength;
        if (strategy != TruncationStrategy.DoNotTruncate && maxLength > 0 && surplus > 0)
            PythonTruncation.Remove(first, second, surplus, strategy, _truncatesLeft);
        return options.AddSpecialTokens ? frame.Around(first, second) : [.. first, .. second ?? []];
    }

    public sealed override string Decode(IReadOnlyList<int> tokenIds, DecodeOptions options)
    {
        var tokens = new List<string>(tokenIds.Count);
        foreach (var id in tokenIds)
        {
            if (options.SkipSpecialTokens && Added.IsSpecial(id))
                continue;
            if ((Added.TokenOf(id) ?? TokenOf(id, options)) is { } token)
                tokens.Add(token);
        }
        var text = Join(tokens, options);
        var cleansUp = HeedsCleanUpOption ? options.CleanUpTokenizationSpaces ?? _cleansUp : _cleansUp;
        return cleansUp ? TextCleaning.CleanUp(text) : text;
    }

    /// <summary>What stands around and between the sequences.</summary>
    protected abstract SequenceFrame FrameOf(EncodeOptions options);

    /// <summary>Adds the ids of text without added tokens in it.</summary>
    protected abstract void EncodeText(string text, EncodeOptions options, List<int> ids);

    /// <summary>The token of an id that is no added token's; null for an id that nobody knows.</summary>
    protected abstract string? TokenOf(int id, DecodeOptions options);

    /// <summary>The text of tokens.</summary>
    protected abstract string Join(List<string> tokens, DecodeOptions options);

    private List<int> EncodeSequence(string text, EncodeOptions options)
    {
        var ids = new List<int>(text.Length / 2 + 4);
        if (options.SplitSpecialTokens || _splitsSpecialTokens)
        {
            EncodeText(text, options, ids);
            return ids;
        }
        foreach (var (part, tokenId) in Added.Split(text))
        {
            if (tokenId is { } id)
                ids.Add(id);
            else
                EncodeText(part, options, ids);
        }
        return ids;
    }
}
