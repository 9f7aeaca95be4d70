using Seq2Seq.Inference.Tokenization;

namespace Seq2Seq.Inference.Tests.Tokenization;

public sealed class LanguageTests
{
    [Theory]
    [InlineData("mbart50-sentencepiece", "fr_XX")]
    [InlineData("mbart-cc25-tokenizer-json", "ro_RO")]
    [InlineData("nllb-sentencepiece", "fra_Latn")]
    [InlineData("m2m100", "fr")]
    [InlineData("plbart-multi", "__java__")]
    public void A_target_language_has_a_token_to_begin_with(string folder, string language)
    {
        var tokenizer = Tokenizer.Load(ReferenceFolders.PathOf(folder));

        tokenizer.Languages.Target.Should().Contain(language).And.OnlyHaveUniqueItems();
        var ids = tokenizer.Languages.Target.Select(code => tokenizer.ForcedBosTokenId(code)).ToArray();
        ids.Should().NotContainNulls().And.OnlyHaveUniqueItems();
    }

    [Theory]
    [InlineData("mbart50-sentencepiece")]
    [InlineData("nllb-tokenizer-json")]
    [InlineData("m2m100")]
    [InlineData("t5-sentencepiece")]
    [InlineData("bart-vocab-merges")]
    public void A_language_that_is_none_has_no_token(string folder)
    {
        var tokenizer = Tokenizer.Load(ReferenceFolders.PathOf(folder));

        tokenizer.ForcedBosTokenId("xx_none").Should().BeNull();
        tokenizer.ForcedBosTokenId("").Should().BeNull();
    }

    [Theory]
    [InlineData("mbart50-sentencepiece")]
    [InlineData("nllb-sentencepiece")]
    [InlineData("m2m100")]
    [InlineData("plbart-multi")]
    public void A_source_in_a_language_that_is_none_is_refused(string folder)
    {
        var tokenizer = Tokenizer.Load(ReferenceFolders.PathOf(folder));

        var encode = () => tokenizer.Encode("one", new EncodeOptions { SourceLanguage = "xx_none" });

        encode.Should().Throw<EncodeException>().Which.Code.Should().Be("language_unknown");
    }

    [Fact]
    public void The_source_language_changes_nothing_but_its_own_token()
    {
        var tokenizer = Tokenizer.Load(ReferenceFolders.PathOf("mbart50-sentencepiece"));

        var english = tokenizer.Encode("one two", new EncodeOptions { SourceLanguage = "en_XX" });
        var french = tokenizer.Encode("one two", new EncodeOptions { SourceLanguage = "fr_XX" });

        english[0].Should().Be(tokenizer.ForcedBosTokenId("en_XX"));
        french[0].Should().Be(tokenizer.ForcedBosTokenId("fr_XX"));
        french.Skip(1).Should().Equal(english.Skip(1));
    }

    [Theory]
    [InlineData("t5-sentencepiece")]
    [InlineData("bart-vocab-merges")]
    [InlineData("marian")]
    [InlineData("byt5")]
    public void A_tokenizer_of_one_language_names_none(string folder) =>
        Tokenizer.Load(ReferenceFolders.PathOf(folder)).Languages.Should().BeEquivalentTo(ModelLanguages.None);

    [Fact]
    public void A_pair_of_languages_is_named_by_its_sides()
    {
        ModelLanguages languages = Tokenizer.Load(ReferenceFolders.PathOf("fsmt-ru-en")).Languages;

        languages.Source.Should().Equal("ru");
        languages.Target.Should().Equal("en");
    }

    [Fact]
    public void Marian_puts_the_code_of_the_target_language_in_front_of_the_source()
    {
        var tokenizer = Tokenizer.Load(ReferenceFolders.PathOf("marian-multilingual"));
        string code = tokenizer.Languages.Target[0];

        tokenizer
            .Encode("one two", new EncodeOptions { TargetLanguage = code })
            .Should()
            .Equal(tokenizer.Encode($">>{code}<< one two", EncodeOptions.Default));
        tokenizer.Languages.Source.Should().BeEmpty();
    }

    [Fact]
    public void Marian_keeps_the_code_and_the_end_where_a_text_is_cut()
    {
        var tokenizer = Tokenizer.Load(ReferenceFolders.PathOf("marian-multilingual"));
        EncodeOptions options = new() { TargetLanguage = tokenizer.Languages.Target[0] };
        IReadOnlyList<int> whole = tokenizer.Encode("one two three four five", options);

        IReadOnlyList<int> cut = tokenizer.Encode(
            "one two three four five",
            options with
            {
                Truncation = "longest_first",
                MaxLength = 5,
            }
        );

        cut.Should().Equal([.. whole.Take(4), whole[^1]]);
    }
}
