using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Tokenization;

namespace Seq2Seq.Inference.Tests.Tokenization;

public sealed class ModelLanguagesTests
{
    private static readonly ModelLanguages _few = new() { Source = ["en_XX"], Target = ["__java__", "fr_XX"] };

    [Theory]
    [InlineData(null, null)]
    [InlineData("en_XX", "fr_XX")]
    [InlineData(null, "java")]
    [InlineData(null, "__java__")]
    public void A_language_of_the_model_is_taken(string? source, string? target)
    {
        Action check = () => _few.Check(new GenerationParameters { SourceLanguage = source, TargetLanguage = target });

        check.Should().NotThrow();
    }

    [Fact]
    public void An_unknown_language_is_named_beside_those_that_there_are()
    {
        Action check = () => _few.Check(new GenerationParameters { TargetLanguage = "en_XX" });

        GenerationParametersException exception = check.Should().Throw<GenerationParametersException>().Which;
        exception.Parameter.Should().Be("tgt_lang");
        exception.Message.Should().Contain("'en_XX'").And.Contain("__java__, fr_XX");
        exception.Found.Should().Be("en_XX");
        exception.Expected.Should().Contain("__java__, fr_XX");
    }

    [Fact]
    public void A_model_without_languages_refuses_the_option_by_its_name()
    {
        Action check = () => ModelLanguages.None.Check(new GenerationParameters { SourceLanguage = "en" });

        check
            .Should()
            .Throw<GenerationParametersException>()
            .WithMessage("*'src_lang' is 'en'*no source languages*")
            .Which.Parameter.Should()
            .Be("src_lang");
    }

    [Fact]
    public void Of_very_many_languages_those_that_begin_alike_are_named()
    {
        ModelLanguages many = ModelLanguages.Of([
            .. Enumerable.Range(0, 200).Select(i => $"x{i:000}_Latn"),
            "deu_Latn",
            "dan_Latn",
        ]);

        Action check = () => many.Check(new GenerationParameters { TargetLanguage = "de" });

        check.Should().Throw<GenerationParametersException>().WithMessage("*202 target languages, such as deu_Latn.");
    }
}
