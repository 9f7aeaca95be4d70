using CsCheck;
using Seq2Seq.Inference.Tokenization;

namespace Seq2Seq.Inference.Tests.Tokenization;

public sealed class EncodeOptionsTests
{
    private static readonly string[] Mixed =
    [
        "t5-sentencepiece",
        "t5-tokenizer-json",
        "bart-vocab-merges",
        "bert-vocab-txt-uncased",
        "nllb-sentencepiece",
        "marian",
        "byt5",
        "spm-bpe-bytefallback",
    ];

    public static TheoryData<string> Folders => [.. Mixed];

    [Theory]
    [MemberData(nameof(Folders))]
    public void Truncated_ids_keep_to_the_length_and_to_the_beginning(string folder)
    {
        var tokenizer = Tokenizer.Load(ReferenceFolders.PathOf(folder));

        Gen.Select(Gen.Char[' ', '~'].Array[0, 80], Gen.Int[5, 40])
            .Sample(
                (characters, maxLength) =>
                {
                    var options = new EncodeOptions { Truncation = "longest_first", MaxLength = maxLength };
                    var ids = tokenizer.Encode(new string(characters), options);
                    ids.Count.Should().BeLessThanOrEqualTo(maxLength);
                },
                iter: 300
            );
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void Unknown_truncations_are_refused(string folder)
    {
        var tokenizer = Tokenizer.Load(ReferenceFolders.PathOf(folder));

        var encode = () => tokenizer.Encode("one", new EncodeOptions { Truncation = "some", MaxLength = 5 });

        encode.Should().Throw<EncodeException>().Which.Code.Should().Be("truncation_unknown");
    }

    [Fact]
    public void A_sequence_that_is_too_short_to_cut_is_refused()
    {
        var tokenizer = Tokenizer.Load(ReferenceFolders.PathOf("bart-vocab-merges"));
        var options = new EncodeOptions
        {
            TextPair = "a pair that has very many words in it",
            Truncation = "only_first",
            MaxLength = 6,
        };

        var encode = () => tokenizer.Encode("one", options);

        encode.Should().Throw<EncodeException>().Which.Code.Should().Be("truncation_impossible");
    }

    [Theory]
    [InlineData("t5-sentencepiece", "</s>")]
    [InlineData("t5-tokenizer-json", "</s>")]
    [InlineData("bart-vocab-merges", "<mask>")]
    [InlineData("marian", "</s>")]
    [InlineData("byt5", "<extra_id_0>")]
    [InlineData("bert-vocab-txt-cased", "[MASK]")]
    public void Special_tokens_in_the_text_are_plain_characters_if_wanted(string folder, string token)
    {
        var tokenizer = Tokenizer.Load(ReferenceFolders.PathOf(folder));
        var bare = new EncodeOptions { AddSpecialTokens = false };

        var special = tokenizer.Encode(token, bare);
        var plain = tokenizer.Encode($"one {token} two", bare with { SplitSpecialTokens = true });

        special.Should().ContainSingle();
        plain.Should().NotContain(special[0]);
        tokenizer.Encode($"one {token} two", bare).Should().Contain(special[0]);
    }
}
