using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using CsCheck;
using Seq2Seq.Inference.Tokenization;

namespace Seq2Seq.Inference.Tests.Tokenization;

public sealed class TokenizerFilesTests
{
    /// <summary>Characters that JSON hangs on.</summary>
    private const string Marks = "0[]{}\"\n,:-";

    private static readonly TimeSpan Quickly = TimeSpan.FromSeconds(5);

    /// <summary>A folder of the reference data and one of its files that the tokenizer is read from.</summary>
    public static TheoryData<string, string> Files =>
        new()
        {
            { "t5-sentencepiece", "spiece.model" },
            { "t5-tokenizer-json", "tokenizer.json" },
            { "spm-bpe-bytefallback", "tokenizer.model" },
            { "bart-vocab-merges", "vocab.json" },
            { "bart-vocab-merges", "merges.txt" },
            { "bart-added-tokens", "added_tokens.json" },
            { "bert-vocab-txt-cased", "vocab.txt" },
            { "bert-tokenizer-json", "tokenizer.json" },
            { "mbart50-sentencepiece", "tokenizer_config.json" },
            { "camembert-sentencepiece", "sentencepiece.bpe.model" },
            { "xlm-roberta-tokenizer-json", "tokenizer.json" },
            { "bert-generation", "spiece.model" },
            { "marian", "source.spm" },
            { "marian", "vocab.json" },
            { "fsmt-en-de", "vocab-tgt.json" },
            { "fsmt-en-de", "merges.txt" },
            { "byt5", "tokenizer_config.json" },
            { "prophetnet", "prophetnet.tokenizer" },
            { "zoo/norm-precompiled", "tokenizer.json" },
            { "zoo/pre-split-gpt4", "tokenizer.json" },
            { "zoo/post-template", "tokenizer.json" },
            { "zoo/dec-ctc-free-bpedecoder", "tokenizer.json" },
        };

    [Fact]
    public void A_folder_without_tokenizer_files_is_refused()
    {
        using var folder = new FolderCopy();

        Loading(folder).Should().Throw<TokenizerLoadException>().Which.Code.Should().Be("tokenizer_missing");
    }

    [Fact]
    public void A_folder_that_is_not_there_is_refused()
    {
        var load = () => Tokenizer.Load(Path.Combine(ReferenceFolders.Root, "no-such-folder"));

        load.Should().Throw<TokenizerLoadException>().Which.Code.Should().Be("tokenizer_missing");
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void A_file_with_any_bytes_changed_or_cut_loads_or_is_refused_by_name(string folder, string file)
    {
        using var copy = new FolderCopy(folder);
        var bytes = File.ReadAllBytes(copy.PathOf(file));
        var changes = Gen.Select(
            Gen.Int[0, bytes.Length],
            Gen.Int[0, bytes.Length - 1].Array[0, 4],
            Gen.OneOf(Gen.Byte, Gen.Int[0, Marks.Length - 1].Select(index => (byte)Marks[index]))
        );

        changes.Sample(
            change =>
            {
                var (length, places, value) = change;
                var changed = bytes.AsSpan().ToArray();
                foreach (var place in places)
                    changed[place] = value;
                File.WriteAllBytes(copy.PathOf(file), places.Length == 0 ? changed[..length] : changed);
                LoadsOrRefuses(copy);
            },
            iter: 60,
            threads: 1
        );
    }

    [Theory]
    [InlineData("tokenizer.json")]
    [InlineData("tokenizer_config.json")]
    [InlineData("config.json")]
    [InlineData("added_tokens.json")]
    [InlineData("special_tokens_map.json")]
    public void Json_that_is_nested_without_end_is_refused(string file)
    {
        using var folder = new FolderCopy("t5-tokenizer-json");
        File.WriteAllText(folder.PathOf(file), string.Concat(Enumerable.Repeat("{\"a\":", 200_000)));

        Loading(folder).Should().Throw<TokenizerLoadException>().WithMessage($"*{file}*");
    }

    [Theory]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("3")]
    [InlineData("{}")]
    [InlineData("")]
    [InlineData("{\"model\": {}}")]
    [InlineData("{\"model\": {\"type\": \"Unknown\"}}")]
    [InlineData("{\"model\": {\"type\": \"BPE\", \"vocab\": {}, \"merges\": [[\"a\", \"b\"]]}}")]
    [InlineData("{\"model\": {\"type\": \"Unigram\", \"vocab\": [], \"unk_id\": 7}}")]
    [InlineData("{\"model\": {\"type\": \"WordPiece\", \"vocab\": {\"a\": 99999999999}}}")]
    public void A_tokenizer_json_of_another_shape_is_refused(string json)
    {
        using var folder = new FolderCopy();
        File.WriteAllText(folder.PathOf("tokenizer.json"), json);

        Loading(folder).Should().Throw<TokenizerLoadException>().WithMessage("*tokenizer.json*");
    }

    [Theory]
    [InlineData("normalizer", "{\"type\": \"Precompiled\", \"precompiled_charsmap\": \"////fwAAAAAA\"}")]
    [InlineData("normalizer", "{\"type\": \"Precompiled\", \"precompiled_charsmap\": \"no base64\"}")]
    [InlineData("normalizer", "{\"type\": \"Replace\", \"pattern\": {\"Regex\": \"(\"}, \"content\": \"\"}")]
    [InlineData("normalizer", "{\"type\": \"NoSuch\"}")]
    [InlineData("pre_tokenizer", "{\"type\": \"FixedLength\", \"length\": -1}")]
    [InlineData("pre_tokenizer", "{\"type\": \"Split\", \"pattern\": {\"String\": 1}, \"behavior\": \"Removed\"}")]
    [InlineData(
        "post_processor",
        "{\"type\": \"TemplateProcessing\", \"single\": [{\"SpecialToken\": {\"id\": \"x\"}}]}"
    )]
    [InlineData("decoder", "{\"type\": \"Sequence\", \"decoders\": [{\"type\": \"NoSuch\"}]}")]
    [InlineData("added_tokens", "[{\"id\": \"x\", \"content\": \"y\"}]")]
    [InlineData("truncation", "{\"max_length\": -1, \"strategy\": \"Some\"}")]
    public void A_component_that_can_not_be_built_is_refused(string name, string component)
    {
        using var folder = new FolderCopy("zoo/norm-lowercase");
        var json = JsonNode.Parse(File.ReadAllText(folder.PathOf("tokenizer.json")))!;
        json[name] = JsonNode.Parse(component);
        File.WriteAllText(folder.PathOf("tokenizer.json"), json.ToJsonString());

        Loading(folder).Should().Throw<TokenizerLoadException>().WithMessage("*tokenizer.json*");
    }

    [Fact]
    public void Sizes_that_no_file_can_have_are_refused()
    {
        using var folder = new FolderCopy("t5-sentencepiece");
        // Field 1, of 2,147,483,647 bytes.
        File.WriteAllBytes(folder.PathOf("spiece.model"), [0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x07, 0x61]);

        Loading(folder).Should().Throw<TokenizerLoadException>().WithMessage("*spiece.model*");
    }

    [Theory]
    [InlineData("t5-sentencepiece", "spiece.model")]
    [InlineData("bart-vocab-merges", "vocab.json")]
    [InlineData("marian", "target.spm")]
    public void A_file_that_is_a_folder_or_missing_is_refused(string kind, string file)
    {
        using var folder = new FolderCopy(kind);
        File.Delete(folder.PathOf(file));
        Loading(folder).Should().Throw<TokenizerLoadException>().Which.Code.Should().Be("tokenizer_missing");

        Directory.CreateDirectory(folder.PathOf(file));
        Loading(folder).Should().Throw<TokenizerLoadException>();
    }

    [Fact]
    public void A_byte_order_mark_is_passed_over()
    {
        using var folder = new FolderCopy("t5-tokenizer-json");
        var expected = Tokenizer.Load(folder.Root).Encode("one two", EncodeOptions.Default);
        foreach (var file in new[] { "tokenizer.json", "config.json" })
        {
            var text = File.ReadAllText(folder.PathOf(file));
            File.WriteAllText(folder.PathOf(file), text, new UTF8Encoding(encoderShouldEmitUTF8Identifier: true));
        }

        Tokenizer.Load(folder.Root).Encode("one two", EncodeOptions.Default).Should().Equal(expected);
    }

    private static Func<Tokenizer> Loading(FolderCopy folder) => () => Tokenizer.Load(folder.Root);

    private static void LoadsOrRefuses(FolderCopy folder)
    {
        var watch = Stopwatch.StartNew();
        try
        {
            var tokenizer = Tokenizer.Load(folder.Root);
            var ids = tokenizer.Encode("The quick brown fox, Straße 今天 ﬁ.", EncodeOptions.Default);
            tokenizer.Decode(ids, DecodeOptions.Default);
        }
        catch (TokenizerLoadException e)
        {
            e.Message.Should().Contain(folder.Root);
        }
        catch (EncodeException e)
        {
            e.Code.Should().NotBeEmpty();
        }
        watch.Elapsed.Should().BeLessThan(Quickly);
    }

    /// <summary>A copy of a reference folder's files (or an empty folder) that may be spoilt.</summary>
    private sealed class FolderCopy : IDisposable
    {
        public FolderCopy(string? reference = null)
        {
            if (reference is null)
                return;
            foreach (var file in Directory.EnumerateFiles(ReferenceFolders.PathOf(reference)))
            {
                if (Path.GetFileName(file) is var name and not "cases.json")
                    File.Copy(file, PathOf(name));
            }
        }

        public string Root { get; } = Directory.CreateTempSubdirectory("tokenizer-").FullName;

        public string PathOf(string file) => Path.Combine(Root, file);

        public void Dispose() => Directory.Delete(Root, recursive: true);
    }
}
