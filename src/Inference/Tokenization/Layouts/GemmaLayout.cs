using Seq2Seq.Inference.Tokenization.Decoders;
using Seq2Seq.Inference.Tokenization.Models;
using Seq2Seq.Inference.Tokenization.Normalizers;
using Seq2Seq.Inference.Tokenization.Patterns;
using Seq2Seq.Inference.Tokenization.PreTokenizers;

namespace Seq2Seq.Inference.Tokenization.Layouts;

/// <summary>T5Gemma's tokenizer (<c>GemmaTokenizer</c>): spaces become ▁ without one in front, bytes for the unknown.</summary>
internal static class GemmaLayout
{
    public static Tokenizer Load(TokenizerFolder folder)
    {
        var source = BpeSource.Read(folder, "tokenizer.model", pieces => BpeSource.InOrder(pieces).Ids);
        var special = new SpecialTokens(folder.Settings);
        var (begin, end) = (special.Get("bos_token", "<bos>"), special.Get("eos_token", "<eos>"));
        var unknown = special.Get("unk_token", "<unk>");
        var space = TextPattern.Literal(" ");
        var pipeline = new TokenizerPipeline(
            new BpeModel(
                source.Vocabulary,
                source.Merges,
                new BpeOptions
                {
                    UnknownToken = unknown.Content,
                    FuseUnknown = true,
                    ByteFallback = true,
                }
            ),
            new ReplaceNormalizer(space, "\u2581"),
            new PatternPreTokenizer(space, DelimiterBehavior.MergedWithPrevious),
            new DecoderSequence([
                new ReplaceDecoder(TextPattern.Literal("\u2581"), " "),
                new ByteFallbackDecoder(),
                new FuseDecoder(),
            ])
        );
        var assembly = new PipelineAssembly(folder, pipeline);
        assembly.AddTokens(
            [
                begin,
                end,
                unknown,
                special.Find("sep_token"),
                special.Get("pad_token", "<pad>"),
                special.Find("cls_token"),
                special.Get("mask_token", "<mask>"),
            ],
            source.Further
        );
        return assembly.Build(assembly.BeginAndEnd(begin, end));
    }
}
