using Seq2Seq.Inference.Tokenization.Decoders;
using Seq2Seq.Inference.Tokenization.Models;
using Seq2Seq.Inference.Tokenization.Normalizers;
using Seq2Seq.Inference.Tokenization.Patterns;
using Seq2Seq.Inference.Tokenization.PreTokenizers;

namespace Seq2Seq.Inference.Tokenization.Layouts;

/// <summary>
/// NLLB-200 (<c>NllbTokenizer</c>): language, text, end; with <c>legacy_behaviour</c> text, end, language. Byte-pair
/// encoding, from a tokenizer.json or with merges that follow from the sentencepiece pieces.
/// </summary>
internal static class NllbLayout
{
    private static readonly string[] Codes = (
        "ace_Arab ace_Latn acm_Arab acq_Arab aeb_Arab afr_Latn ajp_Arab aka_Latn amh_Ethi apc_Arab arb_Arab "
        + "ars_Arab ary_Arab arz_Arab asm_Beng ast_Latn awa_Deva ayr_Latn azb_Arab azj_Latn bak_Cyrl bam_Latn "
        + "ban_Latn bel_Cyrl bem_Latn ben_Beng bho_Deva bjn_Arab bjn_Latn bod_Tibt bos_Latn bug_Latn bul_Cyrl "
        + "cat_Latn ceb_Latn ces_Latn cjk_Latn ckb_Arab crh_Latn cym_Latn dan_Latn deu_Latn dik_Latn dyu_Latn "
        + "dzo_Tibt ell_Grek eng_Latn epo_Latn est_Latn eus_Latn ewe_Latn fao_Latn pes_Arab fij_Latn fin_Latn "
        + "fon_Latn fra_Latn fur_Latn fuv_Latn gla_Latn gle_Latn glg_Latn grn_Latn guj_Gujr hat_Latn hau_Latn "
        + "heb_Hebr hin_Deva hne_Deva hrv_Latn hun_Latn hye_Armn ibo_Latn ilo_Latn ind_Latn isl_Latn ita_Latn "
        + "jav_Latn jpn_Jpan kab_Latn kac_Latn kam_Latn kan_Knda kas_Arab kas_Deva kat_Geor knc_Arab knc_Latn "
        + "kaz_Cyrl kbp_Latn kea_Latn khm_Khmr kik_Latn kin_Latn kir_Cyrl kmb_Latn kon_Latn kor_Hang kmr_Latn "
        + "lao_Laoo lvs_Latn lij_Latn lim_Latn lin_Latn lit_Latn lmo_Latn ltg_Latn ltz_Latn lua_Latn lug_Latn "
        + "luo_Latn lus_Latn mag_Deva mai_Deva mal_Mlym mar_Deva min_Latn mkd_Cyrl plt_Latn mlt_Latn mni_Beng "
        + "khk_Cyrl mos_Latn mri_Latn zsm_Latn mya_Mymr nld_Latn nno_Latn nob_Latn npi_Deva nso_Latn nus_Latn "
        + "nya_Latn oci_Latn gaz_Latn ory_Orya pag_Latn pan_Guru pap_Latn pol_Latn por_Latn prs_Arab pbt_Arab "
        + "quy_Latn ron_Latn run_Latn rus_Cyrl sag_Latn san_Deva sat_Beng scn_Latn shn_Mymr sin_Sinh slk_Latn "
        + "slv_Latn smo_Latn sna_Latn snd_Arab som_Latn sot_Latn spa_Latn als_Latn srd_Latn srp_Cyrl ssw_Latn "
        + "sun_Latn swe_Latn swh_Latn szl_Latn tam_Taml tat_Cyrl tel_Telu tgk_Cyrl tgl_Latn tha_Thai tir_Ethi "
        + "taq_Latn taq_Tfng tpi_Latn tsn_Latn tso_Latn tuk_Latn tum_Latn tur_Latn twi_Latn tzm_Tfng uig_Arab "
        + "ukr_Cyrl umb_Latn urd_Arab uzn_Latn vec_Latn vie_Latn war_Latn wol_Latn xho_Latn ydd_Hebr yor_Latn "
        + "yue_Hant zho_Hans zho_Hant zul_Latn"
    ).Split(' ');

    public static Tokenizer Load(TokenizerFolder folder)
    {
        var settings = folder.Settings;
        var special = new SpecialTokens(settings);
        var (begin, end) = (special.Get("bos_token", "<s>"), special.Get("eos_token", "</s>"));
        var (unknown, pad) = (special.Get("unk_token", "<unk>"), special.Get("pad_token", "<pad>"));
        string[] first = [begin.Content, pad.Content, end.Content, unknown.Content];
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
            source.CharsMap is null
                ? null
                : new NormalizerSequence([
                    new PrecompiledNormalizer(source.CharsMap),
                    new ReplaceNormalizer(TextPattern.Regex(" {2,}"), " "),
                ]),
            new MetaspacePreTokenizer('\u2581', PrependScheme.Always, split: true),
            new MetaspaceDecoder('\u2581', prepended: true)
        );
        var assembly = new PipelineAssembly(folder, pipeline);
        assembly.AddTokens(
            [
                begin,
                end,
                unknown,
                special.Get("sep_token", "</s>"),
                pad,
                special.Get("cls_token", "<s>"),
                special.Mask(),
            ],
            // Where a sentencepiece model names symbols of its own, transformers adds no languages.
            source.Further
                ?? Codes.Select(SpecialTokens.Plain)
        );
        var endId = assembly.Require(end);
        var legacy = settings.Boolean("legacy_behaviour") ?? false;
        return assembly.Build(
            postProcessor: null,
            assembly.Languages(
                Codes,
                language =>
                    legacy
                        ? LanguageFrames.LanguageLast(language, endId)
                        : LanguageFrames.LanguageFirst(language, endId),
                "eng_Latn"
            )
        );
    }
}
