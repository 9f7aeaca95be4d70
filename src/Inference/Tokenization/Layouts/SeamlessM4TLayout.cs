using System.Text;
using Seq2Seq.Inference.Tokenization.Decoders;
using Seq2Seq.Inference.Tokenization.Models;
using Seq2Seq.Inference.Tokenization.Normalizers;
using Seq2Seq.Inference.Tokenization.Patterns;
using Seq2Seq.Inference.Tokenization.PostProcessors;
using Seq2Seq.Inference.Tokenization.PreTokenizers;

namespace Seq2Seq.Inference.Tokenization.Layouts;

/// <summary>
/// SeamlessM4T (<c>SeamlessM4TTokenizer</c>): language, text, end; targets have an end token before the language, too. The
/// languages' tokens (<c>__fra__</c>) are those that the files name.
/// </summary>
internal static class SeamlessM4TLayout
{
    public static Tokenizer Load(TokenizerFolder folder)
    {
        var special = new SpecialTokens(folder.Settings);
        var (begin, end) = (special.Get("bos_token", "<s>"), special.Get("eos_token", "</s>"));
        var (unknown, pad) = (special.Get("unk_token", "<unk>"), special.Get("pad_token", "<pad>"));
        string[] first = [pad.Content, unknown.Content, begin.Content, end.Content];
        var source = BpeSource.Read(
            folder,
            "sentencepiece.bpe.model",
            pieces => BpeSource.InOrder(first.Concat(pieces).Distinct(StringComparer.Ordinal)).Ids
        );
        var pipeline = new TokenizerPipeline(
            new BpeModel(
                source.Vocabulary,
                source.Merges,
                new BpeOptions { UnknownToken = unknown.Content, FuseUnknown = true }
            ),
            new NormalizerSequence([
                new ReplaceNormalizer(TextPattern.Regex(@"[\n\r\t]"), " "),
                new UnicodeNormalizer(NormalizationForm.FormKC),
                new StripNormalizer(left: false, right: true),
                new ReplaceNormalizer(TextPattern.Regex(" +\u2581"), "\u2581"),
                new ReplaceNormalizer(TextPattern.Regex("^\u2581+$"), ""),
                new ReplaceNormalizer(TextPattern.Regex(" {2,}"), "\u2581"),
            ]),
            new MetaspacePreTokenizer('\u2581', PrependScheme.First, split: true),
            new MetaspaceDecoder('\u2581', prepended: true)
        );
        var assembly = new PipelineAssembly(folder, pipeline);
        assembly.AddTokens(
            [begin, end, unknown, special.Get("sep_token", "</s>"), pad, special.Get("cls_token", "<s>")],
            source.Further
        );
        var endId = assembly.Require(end);
        return assembly.Build(
            postProcessor: null,
            assembly.Languages(
                pipeline.Added.Special.Where(IsLanguage).Order(StringComparer.Ordinal),
                language => LanguageFrames.LanguageFirst(language, endId),
                "eng",
                "fra",
                language => new TemplatePostProcessor(
                    [TemplatePart.Special(endId, language), TemplatePart.A, TemplatePart.Special(endId)],
                    [TemplatePart.Special(endId, language), TemplatePart.A, TemplatePart.B, TemplatePart.Special(endId)]
                )
            )
        );
    }

    private static bool IsLanguage(string token) =>
        token.Length > 4
        && token.StartsWith("__", StringComparison.Ordinal)
        && token.EndsWith("__", StringComparison.Ordinal);
}
