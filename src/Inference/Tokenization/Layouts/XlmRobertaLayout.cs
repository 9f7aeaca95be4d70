using Seq2Seq.Inference.Tokenization.AddedTokens;
using Seq2Seq.Inference.Tokenization.Decoders;
using Seq2Seq.Inference.Tokenization.Models;
using Seq2Seq.Inference.Tokenization.PostProcessors;
using Seq2Seq.Inference.Tokenization.PreTokenizers;

namespace Seq2Seq.Inference.Tokenization.Layouts;

/// <summary>
/// RoBERTa's frame around sentencepiece pieces, <c>&lt;s&gt; A &lt;/s&gt;</c>: XLM-RoBERTa (<c>XLMRobertaTokenizer</c>) and
/// CamemBERT (<c>CamembertTokenizer</c>), from <c>sentencepiece.bpe.model</c> or tokenizer.json.
/// </summary>
internal static class XlmRobertaLayout
{
    private const string File = "sentencepiece.bpe.model";

    public static Tokenizer Load(TokenizerFolder folder)
    {
        var special = new SpecialTokens(folder.Settings);
        var (begin, end) = (special.Get("bos_token", "<s>"), special.Get("eos_token", "</s>"));
        var (unknown, pad) = (special.Get("unk_token", "<unk>"), special.Get("pad_token", "<pad>"));
        var mask = special.Get("mask_token", "<mask>");
        var source = UnigramSource.Read(
            folder,
            File,
            pieces => FairseqOrder.Arrange(pieces, [begin, pad, end, unknown], languages: [], mask.Content)
        );
        return Assemble(folder, source, FairseqOrder.UnknownId, mask, source.Further);
    }

    /// <summary>
    /// The pieces stand behind five tokens, all of them but the unknown one; CamemBERT was trained with a vocabulary in which
    /// it has those of fairseq twice.
    /// </summary>
    public static Tokenizer LoadCamembert(TokenizerFolder folder)
    {
        var special = new SpecialTokens(folder.Settings);
        var (unknown, pad) = (special.Get("unk_token", "<unk>"), special.Get("pad_token", "<pad>"));
        var mask = special.Mask(normalized: false);
        string[] unused = ["<s>NOTUSED", "</s>NOTUSED", "<unk>NOTUSED"];
        var source = UnigramSource.Read(
            folder,
            File,
            pieces =>
                [
                    (unused[0], 0),
                    (pad.Content, 0),
                    (unused[1], 0),
                    (unknown.Content, 0),
                    (unused[2], -100),
                    .. pieces.Skip(1),
                    (mask.Content, 0),
                ]
        );
        var unknownId = source.Pieces.TakeWhile(piece => piece.Token != unknown.Content).Count();
        return Assemble(
            folder,
            source,
            unknownId < source.Pieces.Count ? unknownId : 0,
            mask,
            source.Further ?? unused.Select(SpecialTokens.Plain)
        );
    }

    private static Tokenizer Assemble(
        TokenizerFolder folder,
        UnigramSource source,
        int unknownId,
        AddedToken mask,
        IEnumerable<AddedToken>? further
    )
    {
        var special = new SpecialTokens(folder.Settings);
        var (begin, end) = (special.Get("bos_token", "<s>"), special.Get("eos_token", "</s>"));
        var prefixesSpace = folder.Settings.Boolean("add_prefix_space") ?? true;
        var scheme = prefixesSpace ? PrependScheme.Always : PrependScheme.Never;
        var pipeline = new TokenizerPipeline(
            new UnigramModel(source.Pieces, unknownId),
            source.Normalizer,
            new PreTokenizerSequence([
                new WhitespaceSplitPreTokenizer(),
                new MetaspacePreTokenizer('\u2581', scheme, split: true),
            ]),
            new MetaspaceDecoder('\u2581', prefixesSpace)
        );
        var assembly = new PipelineAssembly(folder, pipeline);
        assembly.AddTokens(
            [
                begin,
                end,
                special.Get("unk_token", "<unk>"),
                special.Get("sep_token", "</s>"),
                special.Get("pad_token", "<pad>"),
                special.Get("cls_token", "<s>"),
                mask,
            ],
            further
        );
        return assembly.Build(
            new ClassifierPostProcessor(assembly.Require(begin), assembly.Require(end), doubleSeparator: true)
        );
    }
}
