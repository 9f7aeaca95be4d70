using Seq2Seq.Inference.Tokenization.Decoders;
using Seq2Seq.Inference.Tokenization.Models;
using Seq2Seq.Inference.Tokenization.PreTokenizers;

namespace Seq2Seq.Inference.Tokenization.Layouts;

/// <summary>mBART cc25 (<c>MBartTokenizer</c>): text, end, language; no normalisation at all.</summary>
internal static class MBartLayout
{
    public static string[] Codes { get; } =
        (
            "ar_AR cs_CZ de_DE en_XX es_XX et_EE fi_FI fr_XX gu_IN hi_IN it_IT ja_XX kk_KZ ko_KR lt_LT lv_LV my_MM "
            + "ne_NP nl_XX ro_RO ru_RU si_LK tr_TR vi_VN zh_CN"
        ).Split(' ');

    public static Tokenizer Load(TokenizerFolder folder)
    {
        var special = new SpecialTokens(folder.Settings);
        var (begin, end) = (special.Get("bos_token", "<s>"), special.Get("eos_token", "</s>"));
        var (unknown, pad) = (special.Get("unk_token", "<unk>"), special.Get("pad_token", "<pad>"));
        var mask = special.Mask();
        var source = UnigramSource.Read(
            folder,
            "sentencepiece.bpe.model",
            pieces => FairseqOrder.Arrange(pieces, [begin, pad, end, unknown], Codes, mask.Content)
        );
        var pipeline = new TokenizerPipeline(
            new UnigramModel(source.Pieces, FairseqOrder.UnknownId),
            normalizer: null,
            new PreTokenizerSequence([
                new WhitespaceSplitPreTokenizer(),
                new MetaspacePreTokenizer('\u2581', PrependScheme.Always, split: true),
            ]),
            new MetaspaceDecoder('\u2581', prepended: true)
        );
        var assembly = new PipelineAssembly(folder, pipeline);
        assembly.AddTokens(
            [begin, end, unknown, special.Get("sep_token", "</s>"), pad, special.Get("cls_token", "<s>"), mask],
            Codes.Select(SpecialTokens.Plain).Concat(source.Further ?? [])
        );
        var endId = assembly.Require(end);
        return assembly.Build(
            postProcessor: null,
            assembly.Languages(Codes, language => LanguageFrames.LanguageLast(language, endId), "en_XX")
        );
    }
}
