using Seq2Seq.Inference.Tokenization.Decoders;
using Seq2Seq.Inference.Tokenization.Models;
using Seq2Seq.Inference.Tokenization.Normalizers;
using Seq2Seq.Inference.Tokenization.Patterns;
using Seq2Seq.Inference.Tokenization.PreTokenizers;

namespace Seq2Seq.Inference.Tokenization.Layouts;

/// <summary>mBART-50 (<c>MBart50Tokenizer</c>): language, text, end.</summary>
internal static class MBart50Layout
{
    private static readonly string[] Codes =
    [
        .. MBartLayout.Codes,
        .. (
            "af_ZA az_AZ bn_IN fa_IR he_IL hr_HR id_ID ka_GE km_KH mk_MK ml_IN mn_MN mr_IN pl_PL ps_AF pt_XX sv_SE "
            + "sw_KE ta_IN te_IN th_TH tl_XX uk_UA ur_PK xh_ZA gl_ES sl_SI"
        ).Split(' '),
    ];

    public static Tokenizer Load(TokenizerFolder folder)
    {
        var special = new SpecialTokens(folder.Settings);
        var (start, end) = (special.Get("cls_token", "<s>"), special.Get("eos_token", "</s>"));
        var (unknown, pad) = (special.Get("unk_token", "<unk>"), special.Get("pad_token", "<pad>"));
        var mask = special.Mask();
        var source = UnigramSource.Read(
            folder,
            "sentencepiece.bpe.model",
            pieces => FairseqOrder.Arrange(pieces, [start, pad, end, unknown], Codes, mask.Content)
        );
        var normalizers = new List<INormalizer> { new ReplaceNormalizer(TextPattern.Regex(" {2,}"), " ") };
        if (source.CharsMap is not null)
            normalizers.Insert(0, new PrecompiledNormalizer(source.CharsMap));
        var pipeline = new TokenizerPipeline(
            new UnigramModel(source.Pieces, FairseqOrder.UnknownId),
            new NormalizerSequence(normalizers),
            new MetaspacePreTokenizer('\u2581', PrependScheme.Always, split: true),
            new MetaspaceDecoder('\u2581', prepended: true)
        );
        var assembly = new PipelineAssembly(folder, pipeline);
        assembly.AddTokens(
            [special.Find("bos_token"), end, unknown, special.Get("sep_token", "</s>"), pad, start, mask],
            (source.Further ?? []).Concat(Codes.Select(SpecialTokens.Plain))
        );
        var endId = assembly.Require(end);
        return assembly.Build(
            postProcessor: null,
            assembly.Languages(Codes, language => LanguageFrames.LanguageFirst(language, endId), "en_XX")
        );
    }
}
