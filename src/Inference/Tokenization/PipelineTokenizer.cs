using Seq2Seq.Inference.Tokenization.PostProcessors;
using Seq2Seq.Inference.Tokenization.Unicode;

namespace Seq2Seq.Inference.Tokenization;

/// <summary>
/// A tokenizer of transformers that stands on the tokenizers library (<c>TokenizersBackend</c>): a pipeline, and what the
/// folder's settings say about lengths, languages and decoding.
/// </summary>
internal sealed class PipelineTokenizer(TokenizerPipeline pipeline, PipelineSettings settings) : Tokenizer
{
    internal TokenizerPipeline Pipeline => pipeline;

    public override ModelLanguages Languages => settings.Languages?.Languages ?? ModelLanguages.None;

    public override int? ModelMaxLength => settings.MaxLength == int.MaxValue ? null : settings.MaxLength;

    public override int? ForcedBosTokenId(string targetLanguage) => settings.Languages?.FindId(targetLanguage);

    public override IReadOnlyList<int> Encode(string text, EncodeOptions options)
    {
        // transformers takes an empty pair for none.
        var pair =
            settings.Bare ? options.TextPair
            : string.IsNullOrEmpty(options.TextPair) ? null
            : options.TextPair;
        var strategy = Truncation.Parse(options.Truncation);
        var maxLength = options.MaxLength ?? settings.MaxLength;
        if (strategy == TruncationStrategy.DoNotTruncate && settings.FileTruncation is { } fromFile)
            (strategy, maxLength) = (fromFile.Strategy, fromFile.MaxLength);
        var encoding = new PipelineEncoding
        {
            PostProcessor = settings.Languages?.FrameOf(options) ?? settings.PostProcessor,
            AddSpecialTokens = options.AddSpecialTokens,
            SplitSpecialTokens = options.SplitSpecialTokens || settings.SplitSpecialTokens,
            Strategy = maxLength == int.MaxValue ? TruncationStrategy.DoNotTruncate : strategy,
            MaxLength = maxLength,
            TruncateLeft = settings.TruncateLeft,
        };
        var wellFormedPair = pair is null ? null : TextCleaning.WellFormed(pair);
        var ids = pipeline.Encode(TextCleaning.WellFormed(text), wellFormedPair, encoding);
        settings.FilePadding?.Apply(ids);
        return ids;
    }

    public override string Decode(IReadOnlyList<int> tokenIds, DecodeOptions options)
    {
        var text = pipeline.Decode(tokenIds, options.SkipSpecialTokens);
        var cleanUp = options.CleanUpTokenizationSpaces ?? settings.CleanUpSpaces;
        return cleanUp && settings.MayCleanUpSpaces ? TextCleaning.CleanUp(text) : text;
    }

    internal override byte[]? BytesOf(int tokenId) => pipeline.BytesOf(tokenId);
}

/// <summary>What the files say of a pipeline's use.</summary>
internal sealed record PipelineSettings
{
    public IPostProcessor? PostProcessor { get; init; }

    /// <summary>The frame of multilingual models; it replaces the post processor.</summary>
    public LanguageFrames? Languages { get; init; }
    public int MaxLength { get; init; } = int.MaxValue;
    public bool TruncateLeft { get; init; }
    public bool SplitSpecialTokens { get; init; }
    public bool CleanUpSpaces { get; init; }

    /// <summary>transformers does not clean up behind byte-pair encoding.</summary>
    public bool MayCleanUpSpaces { get; init; } = true;

    /// <summary>A tokenizer.json alone, without any configuration: its own truncation and padding hold.</summary>
    public bool Bare { get; init; }
    public FileTruncation? FileTruncation { get; init; }
    public FilePadding? FilePadding { get; init; }
}

/// <summary>The <c>truncation</c> of a tokenizer.json.</summary>
internal sealed record FileTruncation(TruncationStrategy Strategy, int MaxLength);

/// <summary>The <c>padding</c> of a tokenizer.json: to a length, then to a multiple.</summary>
internal sealed record FilePadding(int PadId, int? Length, int Multiple, bool OnLeft)
{
    public void Apply(List<int> ids)
    {
        var target = Length ?? ids.Count;
        if (Multiple > 0 && target % Multiple > 0)
            target += Multiple - target % Multiple;
        if (target > ids.Count)
            ids.InsertRange(OnLeft ? 0 : ids.Count, Enumerable.Repeat(PadId, target - ids.Count));
    }
}
