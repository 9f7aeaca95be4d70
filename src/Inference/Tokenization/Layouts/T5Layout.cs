using Seq2Seq.Inference.Tokenization.AddedTokens;
using Seq2Seq.Inference.Tokenization.Decoders;
using Seq2Seq.Inference.Tokenization.Models;
using Seq2Seq.Inference.Tokenization.PostProcessors;
using Seq2Seq.Inference.Tokenization.PreTokenizers;
using Seq2Seq.Inference.Tokenization.SentencePiece;

namespace Seq2Seq.Inference.Tokenization.Layouts;

/// <summary>
/// T5, mT5 and theirs (<c>T5Tokenizer</c>). The sentinels <c>&lt;extra_id_0&gt;</c>… stand behind the pieces, the first
/// one last; every sequence ends with <c>&lt;/s&gt;</c>. Plain text of a <c>spiece.model</c> is encoded as sentencepiece does.
/// </summary>
internal static class T5Layout
{
    private const string File = "spiece.model";
    private const int DefaultExtraIds = 100;
    private const int UnknownId = 2;

    public static Tokenizer Load(TokenizerFolder folder)
    {
        var extraIds = Math.Max(0, folder.Settings.Count("extra_ids") ?? DefaultExtraIds);
        var sentinels = Enumerable.Range(0, extraIds).Select(i => $"<extra_id_{i}>").ToArray();
        var source = UnigramSource.Read(
            folder,
            File,
            pieces => pieces.Concat(sentinels.Reverse().Select(sentinel => (sentinel, 0.0)))
        );
        var fromSentencePiece = folder.TokenizerJson is null;
        var hasBytes = fromSentencePiece && folder.SentencePiece(File).ByteFallback;
        var decoder = new MetaspaceDecoder('\u2581', prepended: true);
        var pipeline = new TokenizerPipeline(
            new UnigramModel(source.Pieces, UnknownId),
            source.Normalizer,
            new PreTokenizerSequence([
                new WhitespaceSplitPreTokenizer(),
                new MetaspacePreTokenizer('\u2581', PrependScheme.Always, split: true),
            ]),
            // transformers would write out <0xC3>, which no one can want of a model that answers in bytes.
            hasBytes ? new DecoderSequence([decoder, new ByteFallbackDecoder(keepsValidCharacters: true)]) : decoder
        );
        var special = new SpecialTokens(folder.Settings);
        var end = special.Get("eos_token", "</s>");
        var assembly = new PipelineAssembly(folder, pipeline);
        assembly.AddTokens(
            [end, special.Get("unk_token", "<unk>"), special.Get("pad_token", "<pad>")],
            WithSentinels(source.Further, sentinels)
        );
        var endId = assembly.Require(end);
        var frame = new TemplatePostProcessor(
            [TemplatePart.A, TemplatePart.Special(endId)],
            [TemplatePart.A, TemplatePart.Special(endId), TemplatePart.B, TemplatePart.Special(endId)]
        );
        var tokenizer = assembly.Build(frame);
        if (!fromSentencePiece)
            return tokenizer;
        return new SentencePieceTokenizer(
            new SentencePieceProcessor(folder.SentencePiece(File)),
            pipeline.Added,
            assembly.Settings(frame),
            framesPlainText: true,
            source.CharsMap is null ? null : tokenizer
        );
    }

    private static IEnumerable<AddedToken> WithSentinels(IReadOnlyList<AddedToken>? further, string[] sentinels)
    {
        var named = further ?? [];
        var count = named.Count(token => token.Content.Contains("<extra_id_", StringComparison.Ordinal));
        if (count > 0 && sentinels.Length > 0 && count != sentinels.Length)
            throw new InvalidDataException($"extra_ids is {sentinels.Length}, but {count} such tokens are named.");
        return count > 0 ? named : named.Concat(sentinels.Select(SpecialTokens.Plain));
    }
}
