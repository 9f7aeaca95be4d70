using Seq2Seq.Inference.Tokenization.AddedTokens;
using Seq2Seq.Inference.Tokenization.Models;
using Seq2Seq.Inference.Tokenization.PostProcessors;

namespace Seq2Seq.Inference.Tokenization.Layouts;

/// <summary>
/// What all classes of transformers' <c>TokenizersBackend</c> do once their pipeline stands: add the tokens of the files,
/// then the named special tokens, then the further ones, each where it is not there yet.
/// </summary>
internal sealed class PipelineAssembly(TokenizerFolder folder, TokenizerPipeline pipeline)
{
    private readonly TokenizerSettings _settings = folder.Settings;

    /// <param name="named">The class's special tokens in the order bos, eos, unk, sep, pad, cls, mask.</param>
    /// <param name="further">Where the files name no further special tokens.</param>
    public PipelineAssembly AddTokens(IEnumerable<AddedToken?> named, IEnumerable<AddedToken>? further = null)
    {
        foreach (var token in _settings.AddedTokens.Values)
            pipeline.Added.Add(token);
        var extra = _settings.ExtraSpecialTokens ?? further ?? _settings.AdditionalSpecialTokens ?? [];
        foreach (var token in named.OfType<AddedToken>().Concat(_settings.ModelSpecificTokens()))
            AddIfNew(token with { Special = true });
        foreach (var token in extra)
            AddIfNew(token);
        return this;
    }

    public Tokenizer Build(IPostProcessor? postProcessor, LanguageFrames? languages = null) =>
        new PipelineTokenizer(pipeline, Settings(postProcessor, languages));

    public PipelineSettings Settings(IPostProcessor? postProcessor, LanguageFrames? languages = null) =>
        new()
        {
            PostProcessor = postProcessor,
            Languages = languages,
            MaxLength = _settings.Int32("model_max_length") ?? int.MaxValue,
            TruncateLeft = _settings.String("truncation_side") is { } side
                ? side == "left"
                : folder.TokenizerJson?.TruncatesLeft ?? false,
            SplitSpecialTokens = _settings.Boolean("split_special_tokens") ?? false,
            CleanUpSpaces = _settings.Boolean("clean_up_tokenization_spaces") ?? false,
            MayCleanUpSpaces =
                pipeline.Model is not BpeModel
                || (
                    _settings.Boolean("clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output")
                    ?? false
                ),
        };

    /// <summary>
    /// The frame of classes without one of their own: the file's, else a first and a last token as the settings say
    /// (<c>update_post_processor</c>).
    /// </summary>
    /// <param name="begin">The first; null: there is none.</param>
    /// <param name="end">The last.</param>
    public IPostProcessor BeginAndEnd(AddedToken? begin, AddedToken? end)
    {
        if (folder.TokenizerJson is { HasPostProcessor: true } json)
            return json.ReadPostProcessor()!;
        // With a tokenizer.json the two settings don't count.
        var readsSettings = folder.TokenizerJson is null;
        var first = TemplatePart.Special(readsSettings ? Ids("add_bos_token", begin) : []);
        var last = TemplatePart.Special(readsSettings ? Ids("add_eos_token", end) : []);
        TemplatePart[] single = [first, TemplatePart.A, last];
        return new TemplatePostProcessor(single, [.. single, first, TemplatePart.B, last]);
    }

    /// <summary>The languages that the vocabulary has tokens for.</summary>
    public LanguageFrames Languages(
        IEnumerable<string> codes,
        Func<int, TemplatePostProcessor> frame,
        string defaultSource,
        string? defaultTarget = null,
        Func<int, TemplatePostProcessor>? targetFrame = null
    ) =>
        new(
            codes
                .Select(code => (Code: code, Id: pipeline.Added.Id(code)))
                .Where(code => code.Id is not null)
                .Select(code => KeyValuePair.Create(code.Code, code.Id!.Value)),
            frame,
            _settings.String("src_lang") ?? defaultSource,
            _settings.String("tgt_lang") ?? defaultTarget,
            targetFrame
        );

    /// <summary>The id of a token that the frame needs.</summary>
    public int Require(AddedToken token) =>
        pipeline.Added.Id(token.Content)
        ?? throw new InvalidDataException($"The special token {token.Content} is not in the vocabulary.");

    private int[] Ids(string setting, AddedToken? token) =>
        token is not null && _settings.Boolean(setting) is true ? [Require(token)] : [];

    private void AddIfNew(AddedToken token)
    {
        if (!pipeline.Added.Contains(token.Content))
            pipeline.Added.Add(token);
    }
}
