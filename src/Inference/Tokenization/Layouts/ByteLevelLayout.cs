using Seq2Seq.Inference.Tokenization.AddedTokens;
using Seq2Seq.Inference.Tokenization.Decoders;
using Seq2Seq.Inference.Tokenization.Models;
using Seq2Seq.Inference.Tokenization.PostProcessors;
using Seq2Seq.Inference.Tokenization.PreTokenizers;

namespace Seq2Seq.Inference.Tokenization.Layouts;

/// <summary>
/// GPT-2's byte-level byte-pair encoding and its heirs, from <c>vocab.json</c> and <c>merges.txt</c> or tokenizer.json:
/// BART, RoBERTa, LED, MVP (<c>RobertaTokenizer</c>), Blenderbot, GPT-2.
/// </summary>
internal static class ByteLevelLayout
{
    public static Tokenizer LoadRoberta(TokenizerFolder folder)
    {
        var special = new SpecialTokens(folder.Settings);
        var (start, separator) = (special.Get("cls_token", "<s>"), special.Get("sep_token", "</s>"));
        var assembly = Assemble(
            folder,
            addPrefixSpace: false,
            [
                special.Get("bos_token", "<s>"),
                special.Get("eos_token", "</s>"),
                special.Get("unk_token", "<unk>"),
                separator,
                special.Get("pad_token", "<pad>"),
                start,
                special.Get("mask_token", "<mask>"),
            ]
        );
        return assembly.Build(
            new ClassifierPostProcessor(assembly.Require(start), assembly.Require(separator), doubleSeparator: true)
        );
    }

    /// <summary>Without a tokenizer.json, transformers 5.17 puts no end token behind Blenderbot's text.</summary>
    public static Tokenizer LoadBlenderbot(TokenizerFolder folder)
    {
        var special = new SpecialTokens(folder.Settings);
        var (begin, end) = (special.Get("bos_token", "<s>"), special.Get("eos_token", "</s>"));
        var assembly = Assemble(
            folder,
            addPrefixSpace: true,
            [
                begin,
                end,
                special.Get("unk_token", "<unk>"),
                special.Get("sep_token", "</s>"),
                special.Get("pad_token", "<pad>"),
                special.Get("cls_token", "<s>"),
                special.Mask(normalized: false),
            ]
        );
        return assembly.Build(assembly.BeginAndEnd(begin, end));
    }

    public static Tokenizer LoadGpt2(TokenizerFolder folder)
    {
        const string EndOfText = "<|endoftext|>";
        var special = new SpecialTokens(folder.Settings);
        var (begin, end) = (special.Get("bos_token", EndOfText), special.Get("eos_token", EndOfText));
        var assembly = Assemble(
            folder,
            addPrefixSpace: false,
            [
                begin,
                end,
                special.Get("unk_token", EndOfText),
                special.Find("sep_token"),
                special.Find("pad_token"),
                special.Find("cls_token"),
                special.Find("mask_token"),
            ]
        );
        return assembly.Build(assembly.BeginAndEnd(begin, end));
    }

    private static PipelineAssembly Assemble(
        TokenizerFolder folder,
        bool addPrefixSpace,
        IEnumerable<AddedToken?> named
    )
    {
        var (vocabulary, merges) = Read(folder);
        var pipeline = new TokenizerPipeline(
            new BpeModel(vocabulary, merges, new BpeOptions()),
            normalizer: null,
            new ByteLevelPreTokenizer(folder.Settings.Boolean("add_prefix_space") ?? addPrefixSpace, useRegex: true),
            new ByteLevelDecoder()
        );
        return new PipelineAssembly(folder, pipeline).AddTokens(named);
    }

    private static (Vocabulary Vocabulary, List<(string Left, string Right)> Merges) Read(TokenizerFolder folder)
    {
        if (folder.TokenizerJson is { } json)
        {
            return (Vocabulary.Read(json.Model.GetProperty("vocab")), BpeMerges.Read(json.Model.GetProperty("merges")));
        }
        return (
            folder.Guard("vocab.json", () => Vocabulary.Read(folder.Json("vocab.json")!.Value)),
            folder.Guard("merges.txt", () => BpeMerges.ReadLines(folder.Text("merges.txt")))
        );
    }
}
