using System.Text;
using CsCheck;
using Seq2Seq.Inference.Loading;

namespace Seq2Seq.Inference.Tests.Loading;

public sealed class ConfigurationSectionTests : IDisposable
{
    private readonly ModelFolderFixture _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("8", 8)]
    [InlineData("8.0", 8)]
    [InlineData("8e0", 8)]
    [InlineData("2147483647", int.MaxValue)]
    public void A_size_may_be_written_as_any_whole_number(string json, int expected) =>
        Read($$"""{"d_model": {{json}}}""").Size("d_model").Should().Be(expected);

    [Theory]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("8.5")]
    [InlineData("2147483648")]
    [InlineData("1e400")]
    [InlineData("1000000000000000000000000000000")]
    [InlineData("\"8\"")]
    [InlineData("null")]
    [InlineData("true")]
    [InlineData("[8]")]
    [InlineData("NaN")]
    [InlineData("-Infinity")]
    public void What_is_no_size_is_refused_with_key_found_and_expected(string json)
    {
        Action read = () => Read($$"""{"d_model": {{json}}}""").Size("d_model");

        read.Should()
            .Throw<ModelConfigurationException>()
            .WithMessage("config.json: 'd_model' is *; expected a whole number from 1 to 2147483647.")
            .Which.Key.Should()
            .Be("d_model");
    }

    [Fact]
    public void An_absent_key_has_the_default_and_a_required_one_is_refused()
    {
        ConfigurationSection section = Read("{}");

        section.Size("d_kv", 64).Should().Be(64);
        section.Number("dropout", 0.1).Should().Be(0.1);
        section.Flag("scale", defaultValue: true).Should().BeTrue();
        section.Text("act", "relu").Should().Be("relu");
        section.OptionalInteger("min", 0, 9).Should().BeNull();
        section.TokenIds("eos", 10).Should().BeEmpty();
        ((Action)(() => section.Size("d_model"))).Should().Throw<ModelConfigurationException>().WithMessage("*absent*");
    }

    [Theory]
    [InlineData("3", new[] { 3 })]
    [InlineData("[3, 4]", new[] { 3, 4 })]
    [InlineData("null", new int[0])]
    public void Token_ids_are_one_or_a_list(string json, int[] expected) =>
        Read($$"""{"eos_token_id": {{json}}}""").TokenIds("eos_token_id", 5).Should().Equal(expected);

    [Theory]
    [InlineData("5")]
    [InlineData("-1")]
    [InlineData("[1, 5]")]
    public void A_token_beyond_the_vocabulary_is_refused(string json)
    {
        Action read = () => Read($$"""{"eos_token_id": {{json}}}""").TokenIds("eos_token_id", 5);

        read.Should().Throw<ModelConfigurationException>().WithMessage("*'eos_token_id' is *from 0 to 4*");
    }

    [Theory]
    [InlineData("\uFEFF{\"a\": 1}")]
    [InlineData("{\"a\": 1, /* why */ }")]
    [InlineData("{\"a\": 1, // why\n\"b\": [NaN, -Infinity, Infinity]}")]
    [InlineData("{\r\n\t\"a\":\t1\r\n}")]
    [InlineData("{\"b\": \"NaN \\\" Infinity\", \"a\": 1, \"c\": NaN}")]
    public void What_people_and_python_write_is_read(string json) => Read(json).Size("a").Should().Be(1);

    [Fact]
    public void Mutated_files_are_read_or_refused()
    {
        byte[] json = Encoding.UTF8.GetBytes(
            """{"model_type": "t5", "d_model": 8.0, "a": [NaN, {"b": null}], "c": "é"}"""
        );
        Gen.Select(Gen.Int[0, json.Length - 1], Gen.OneOf(Gen.Byte, Gen.Char["{}[]\":,\\/*0eN"].Select(c => (byte)c)))
            .Array[1, 5]
            .Sample(
                mutations =>
                {
                    byte[] mutated = [.. json];
                    foreach ((int index, byte value) in mutations)
                    {
                        mutated[index] = value;
                    }

                    _folder.Write("config.json", mutated);
                    try
                    {
                        ConfigurationFile.Read(_folder.Folder, "config.json").Size("d_model");
                    }
                    catch (LoadRefusedException refusal)
                    {
                        refusal.Code.Should().Be(LoadCodes.ConfigUnreadable);
                    }
                    catch (ModelConfigurationException refusal)
                    {
                        refusal.Key.Should().Be("d_model");
                    }
                },
                iter: 1000,
                threads: 1
            );
    }

    private ConfigurationSection Read(string json)
    {
        _folder.Write("config.json", json);
        return ConfigurationFile.Read(_folder.Folder, "config.json");
    }
}
