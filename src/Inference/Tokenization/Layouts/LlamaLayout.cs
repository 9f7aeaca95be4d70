using System.Text;
using Seq2Seq.Inference.Tokenization.Decoders;
using Seq2Seq.Inference.Tokenization.Models;
using Seq2Seq.Inference.Tokenization.Patterns;
using Seq2Seq.Inference.Tokenization.PreTokenizers;
using Seq2Seq.Inference.Tokenization.SentencePiece;

namespace Seq2Seq.Inference.Tokenization.Layouts;

/// <summary>
/// Byte-pair encoding over sentencepiece pieces with bytes for the rest (<c>LlamaTokenizer</c>): <c>tokenizer.model</c>
/// or tokenizer.json. Plain text of a <c>tokenizer.model</c> is encoded as sentencepiece does, normalisation included.
/// </summary>
internal static class LlamaLayout
{
    private const string File = "tokenizer.model";

    public static Tokenizer Load(TokenizerFolder folder)
    {
        var settings = folder.Settings;
        var source = BpeSource.Read(folder, File, pieces => BpeSource.InOrder(pieces).Ids);
        var fromSentencePiece = folder.TokenizerJson is null;
        var addPrefixSpace = settings.Boolean("add_prefix_space") ?? true;
        var legacy = settings.Boolean("legacy") ?? false;
        var scheme =
            !addPrefixSpace ? PrependScheme.Never
            : legacy ? PrependScheme.Always
            : PrependScheme.First;
        var decoders = new List<ITokenDecoder>
        {
            new ReplaceDecoder(TextPattern.Literal("\u2581"), " "),
            new ByteFallbackDecoder(keepsValidCharacters: fromSentencePiece),
            new FuseDecoder(),
        };
        if (addPrefixSpace)
            decoders.Add(new StripDecoder(new Rune(' '), 1, 0));
        var pipeline = new TokenizerPipeline(
            new BpeModel(source.Vocabulary, source.Merges, new BpeOptions { FuseUnknown = true, ByteFallback = true }),
            normalizer: null,
            new MetaspacePreTokenizer('\u2581', scheme, split: false),
            new DecoderSequence(decoders)
        );
        var special = new SpecialTokens(settings);
        var (begin, end) = (special.Get("bos_token", "<s>"), special.Get("eos_token", "</s>"));
        var assembly = new PipelineAssembly(folder, pipeline);
        assembly.AddTokens(
            [
                begin,
                end,
                special.Get("unk_token", "<unk>"),
                special.Find("sep_token"),
                special.Find("pad_token"),
                special.Find("cls_token"),
                special.Find("mask_token"),
            ],
            source.Further
        );
        var frame = assembly.BeginAndEnd(begin, end);
        var tokenizer = assembly.Build(frame);
        if (!fromSentencePiece)
            return tokenizer;
        var processor = new SentencePieceProcessor(folder.SentencePiece(File));
        return new SentencePieceTokenizer(
            processor,
            pipeline.Added,
            assembly.Settings(frame),
            framesPlainText: false,
            tokenizer
        );
    }
}
