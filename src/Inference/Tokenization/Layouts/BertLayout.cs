using Seq2Seq.Inference.Tokenization.Decoders;
using Seq2Seq.Inference.Tokenization.Models;
using Seq2Seq.Inference.Tokenization.Normalizers;
using Seq2Seq.Inference.Tokenization.PostProcessors;
using Seq2Seq.Inference.Tokenization.PreTokenizers;

namespace Seq2Seq.Inference.Tokenization.Layouts;

/// <summary>BERT, as the halves of encoder-decoder models have it (<c>BertTokenizer</c>): <c>vocab.txt</c> or tokenizer.json.</summary>
internal static class BertLayout
{
    public static Tokenizer Load(TokenizerFolder folder)
    {
        var settings = folder.Settings;
        var special = new SpecialTokens(settings);
        var unknown = special.Get("unk_token", "[UNK]");
        var (start, separator) = (special.Get("cls_token", "[CLS]"), special.Get("sep_token", "[SEP]"));
        var lowercase = settings.Boolean("do_lower_case") ?? true;
        var pipeline = new TokenizerPipeline(
            new WordPieceModel(ReadVocabulary(folder), unknown.Content),
            new BertNormalizer(
                cleanText: true,
                settings.Boolean("tokenize_chinese_chars") ?? true,
                settings.Boolean("strip_accents") ?? lowercase,
                lowercase
            ),
            new BertPreTokenizer(),
            new WordPieceDecoder("##", cleanUp: true)
        );
        var assembly = new PipelineAssembly(folder, pipeline);
        assembly.AddTokens([
            special.Find("bos_token"),
            special.Find("eos_token"),
            unknown,
            separator,
            special.Get("pad_token", "[PAD]"),
            start,
            special.Get("mask_token", "[MASK]"),
        ]);
        var (startId, separatorId) = (assembly.Require(start), assembly.Require(separator));
        return assembly.Build(new ClassifierPostProcessor(startId, separatorId, doubleSeparator: false));
    }

    private static Vocabulary ReadVocabulary(TokenizerFolder folder)
    {
        if (folder.TokenizerJson is { } json)
            return Vocabulary.Read(json.Model.GetProperty("vocab"));
        return new Vocabulary(
            Vocabulary
                .ReadLines(folder.Text("vocab.txt"))
                .Ids.OrderBy(token => token.Value)
                .Select(token => KeyValuePair.Create(token.Key.TrimEnd(), token.Value))
        );
    }
}
