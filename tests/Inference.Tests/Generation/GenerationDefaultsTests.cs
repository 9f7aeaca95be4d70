using System.Text.Json.Nodes;
using Seq2Seq.Inference.Families;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Tests.Families;
using Seq2Seq.Inference.Tests.Loading;

namespace Seq2Seq.Inference.Tests.Generation;

[Collection(TensorCount.Collection)]
public sealed class GenerationDefaultsTests : IDisposable
{
    private static readonly string[] _options =
    [
        "num_beams",
        "max_length",
        "max_new_tokens",
        "length_penalty",
        "early_stopping",
        "forced_eos_token_id",
    ];

    private readonly ModelFolderFixture _model = new();

    public void Dispose() => _model.Dispose();

    [Theory]
    [InlineData("blenderbot-small", true)]
    [InlineData("blenderbot-small", false)]
    [InlineData("fsmt", true)]
    [InlineData("fsmt", false)]
    [InlineData("pegasus-x", true)]
    [InlineData("pegasus-x", false)]
    [InlineData("seamless-m4t", true)]
    [InlineData("seamless-m4t", false)]
    public void An_option_that_a_configuration_class_has_and_no_file_names_does_not_hold(string name, bool isOlderStyle)
    {
        string golden = GoldenFamily.Open(name).Folder;
        foreach (string file in (string[])["config.json", "generation_config.json"])
        {
            JsonObject json = JsonNode.Parse(File.ReadAllText(Path.Join(golden, file)))!.AsObject();
            foreach (string option in _options)
            {
                json.Remove(option);
            }

            _model.Write(file, json.ToJsonString());
        }

        File.Copy(Path.Join(golden, "model.safetensors"), Path.Join(_model.Folder, "model.safetensors"));
        if (isOlderStyle)
        {
            File.Delete(Path.Join(_model.Folder, "generation_config.json"));
        }

        ModelLoadOptions options = new() { Name = name, Folder = _model.Folder };
        using LoadedNetwork loaded = LoadPlan.Load(
            options,
            FamilyRegistry.Default,
            TestContext.Current.CancellationToken
        );

        GenerationParameters parameters = loaded.Network.GenerationDefaults.Parameters;
        parameters.NumBeams.Should().BeNull();
        parameters.MaxLength.Should().BeNull();
        parameters.MaxNewTokens.Should().BeNull();
        parameters.LengthPenalty.Should().BeNull();
        parameters.EarlyStopping.Should().BeNull();
        parameters.ForcedEosTokenId.Should().BeNull();
        parameters.DecoderStartTokenId.Should().NotBeNull();
    }
}
