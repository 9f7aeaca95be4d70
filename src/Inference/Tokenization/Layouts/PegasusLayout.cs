using Seq2Seq.Inference.Tokenization.Decoders;
using Seq2Seq.Inference.Tokenization.Models;
using Seq2Seq.Inference.Tokenization.Normalizers;
using Seq2Seq.Inference.Tokenization.Patterns;
using Seq2Seq.Inference.Tokenization.PostProcessors;
using Seq2Seq.Inference.Tokenization.PreTokenizers;

namespace Seq2Seq.Inference.Tokenization.Layouts;

/// <summary>
/// Pegasus (<c>PegasusTokenizer</c>): padding, end, the two masks and unused tokens stand before the sentencepiece
/// pieces, 103 of them; every sequence, and every pair, ends with <c>&lt;/s&gt;</c>.
/// </summary>
internal static class PegasusLayout
{
    private const int DefaultOffset = 103;

    public static Tokenizer Load(TokenizerFolder folder)
    {
        var settings = folder.Settings;
        var special = new SpecialTokens(settings);
        var (pad, end) = (special.Get("pad_token", "<pad>"), special.Get("eos_token", "</s>"));
        var offset = Math.Max(2, settings.Count("offset") ?? DefaultOffset);
        var unused = Enumerable.Range(2, offset - 2).Select(i => $"<unk_{i}>").ToArray();
        var source = UnigramSource.Read(
            folder,
            "spiece.model",
            pieces =>
            {
                // transformers 5.17 has the masks the other way round than the trained models where no file names them.
                string[] masks =
                [
                    settings.Token("mask_token")?.Content ?? "<mask_1>",
                    settings.String("mask_token_sent") ?? "<mask_2>",
                ];
                return new[] { pad.Content, end.Content }
                    .Concat(masks.Distinct(StringComparer.Ordinal))
                    .Select(token => (token, 0.0))
                    .Concat(unused.Select(token => (token, -100.0)))
                    .Concat(pieces.Skip(2));
            }
        );
        var unknown = special.Get("unk_token", "<unk>");
        var unknownId = Enumerable
            .Range(1, Math.Max(0, source.Pieces.Count - 1))
            .Where(id => source.Pieces[id] == (unknown.Content, 0.0))
            .Select(id => (int?)id)
            .FirstOrDefault();
        var spaces = new ReplaceNormalizer(TextPattern.Regex(" {2,}"), " ");
        var pipeline = new TokenizerPipeline(
            new UnigramModel(
                source.Pieces,
                unknownId ?? throw new InvalidDataException($"No piece {unknown.Content} with the score 0.")
            ),
            new NormalizerSequence([
                source.Normalizer ?? new ReplaceNormalizer(TextPattern.Literal("\n"), " "),
                spaces,
            ]),
            new MetaspacePreTokenizer('\u2581', PrependScheme.Always, split: true),
            new MetaspaceDecoder('\u2581', prepended: true)
        );
        var assembly = new PipelineAssembly(folder, pipeline);
        var sentenceMask = settings.String("mask_token_sent") ?? "<mask_1>";
        assembly.AddTokens(
            [end, unknown, pad, special.Get("mask_token", "<mask_2>")],
            unused.Prepend(sentenceMask).Select(SpecialTokens.Plain)
        );
        var endId = assembly.Require(end);
        return assembly.Build(
            new TemplatePostProcessor(
                [TemplatePart.A, TemplatePart.Special(endId)],
                [TemplatePart.A, TemplatePart.B, TemplatePart.Special(endId)]
            )
        );
    }
}
