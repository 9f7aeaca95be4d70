using System.Text.Json;
using System.Text.Json.Nodes;
using Seq2Seq.Inference.Families.EncoderDecoder;
using Seq2Seq.Inference.Loading;

namespace Seq2Seq.Inference.Tests.Families.EncoderDecoder;

/// <summary>Which models an encoder-decoder can have as halves; what they compute is held to the reference by golden tests.</summary>
public sealed class HalvesTests
{
    private static readonly string[] _encoders = [.. Names(_ => true)];
    private static readonly string[] _decoders = [.. Names(half => half.Head is not null)];

    [Fact]
    public void Every_half_that_is_read_has_golden_data()
    {
        JsonElement[] configurations =
        [
            .. GoldenFamily
                .Names.Select(row => GoldenFamily.Open(row.Data))
                .Where(golden => golden.ModelType == "encoder-decoder")
                .Select(golden => golden.Configuration),
        ];

        Types("encoder").Should().BeEquivalentTo(_encoders);
        Types("decoder").Should().BeEquivalentTo(_decoders);

        IEnumerable<string?> Types(string half) =>
            configurations
                .Select(configuration => configuration.GetProperty(half).GetProperty("model_type").GetString())
                .Distinct(StringComparer.Ordinal);
    }

    [Theory]
    [InlineData("encoder")]
    [InlineData("decoder")]
    public void Another_half_is_refused_with_those_that_are_read(string half)
    {
        GoldenFamily golden = GoldenFamily.Open("bert2bert");
        JsonNode configuration = JsonNode.Parse(golden.Configuration.GetRawText())!;
        configuration[half]!["model_type"] = "albert";
        Action load = () => golden.LoadAs(configuration).Dispose();

        string message = load.Should().Throw<ModelLoadException>().Which.Report.Message!;

        string known = string.Join(", ", half == "encoder" ? _encoders : _decoders);
        message.Should().Contain($"{half}: 'model_type' is \"albert\"; expected one of {known}.");
    }

    private static IEnumerable<string> Names(Func<BertVariant, bool> isOne) =>
        BertVariant
            .All.Where(isOne)
            .Select(half => half.ModelType)
            .Append(Gpt2Configuration.ModelType)
            .Order(StringComparer.Ordinal);
}
