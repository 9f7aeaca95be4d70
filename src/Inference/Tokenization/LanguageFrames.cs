using Seq2Seq.Inference.Tokenization.PostProcessors;

namespace Seq2Seq.Inference.Tokenization;

/// <summary>
/// The special tokens of a multilingual model: a language code before the text and the end token behind it
/// (mBART-50, NLLB), or both behind it (mBART, NLLB's legacy behaviour). An unknown code is an error here, where
/// transformers would quietly take the unknown token.
/// </summary>
internal sealed class LanguageFrames
{
    private readonly Dictionary<string, int> _ids;
    private readonly Dictionary<string, TemplatePostProcessor> _frames;
    private readonly Dictionary<string, TemplatePostProcessor> _targetFrames;
    private readonly string _source;
    private readonly string? _target;

    /// <param name="codes">The codes and their ids.</param>
    /// <param name="frame">What stands around a text in a language, by its id.</param>
    /// <param name="source">The source language where a call names none.</param>
    /// <param name="target">The target language where a call names none; null: the source language.</param>
    /// <param name="targetFrame">What stands around a target, where that is something else.</param>
    public LanguageFrames(
        IEnumerable<KeyValuePair<string, int>> codes,
        Func<int, TemplatePostProcessor> frame,
        string source,
        string? target,
        Func<int, TemplatePostProcessor>? targetFrame = null
    )
    {
        _ids = new Dictionary<string, int>(codes, StringComparer.Ordinal);
        _frames = _ids.ToDictionary(code => code.Key, code => frame(code.Value), StringComparer.Ordinal);
        _targetFrames = targetFrame is null
            ? _frames
            : _ids.ToDictionary(code => code.Key, code => targetFrame(code.Value), StringComparer.Ordinal);
        Languages = ModelLanguages.Of([.. _ids.Keys]);
        (_source, _target) = (source, target);
    }

    public ModelLanguages Languages { get; }

    public int? FindId(string language) =>
        _ids.TryGetValue(language, out var id) || _ids.TryGetValue($"__{language}__", out id) ? id : null;

    /// <exception cref="EncodeException">A language that is none of the codes.</exception>
    public IPostProcessor FrameOf(EncodeOptions options)
    {
        var source = options.SourceLanguage ?? _source;
        var language = options.AsTarget ? options.TargetLanguage ?? _target ?? source : source;
        var frames = options.AsTarget ? _targetFrames : _frames;
        return frames.TryGetValue(language, out var frame) || frames.TryGetValue($"__{language}__", out frame)
            ? frame
            : throw EncodeException.NoSuchLanguage(language, Languages.Source);
    }

    /// <summary>[language] A B [end].</summary>
    public static TemplatePostProcessor LanguageFirst(int language, int end) =>
        new(
            [TemplatePart.Special(language), TemplatePart.A, TemplatePart.Special(end)],
            [TemplatePart.Special(language), TemplatePart.A, TemplatePart.B, TemplatePart.Special(end)]
        );

    /// <summary>A B [end] [language].</summary>
    public static TemplatePostProcessor LanguageLast(int language, int end) =>
        new(
            [TemplatePart.A, TemplatePart.Special(end, language)],
            [TemplatePart.A, TemplatePart.B, TemplatePart.Special(end, language)]
        );
}
