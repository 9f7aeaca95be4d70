using System.Text.Json;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Tests.Weights;
using Seq2Seq.Inference.Tests.Weights.Torch;

namespace Seq2Seq.Inference.Tests.Loading;

/// <summary>
/// The incident that this product answers (gradio-app/gradio 10142 and 10148): google/t5-efficient-tiny-nh8 comes as
/// pytorch_model.bin alone, and ran on random weights after its load had failed. Here the same shape, with weights of the test's own.
/// </summary>
public sealed class IncidentTests : IDisposable
{
    private const int Model = 256;
    private const int FeedForward = 1024;
    private const int Heads = 8;
    private const int HeadWidth = 64;
    private const int Layers = 4;
    private const int Vocabulary = 32128;

    private static readonly string Config = JsonSerializer.Serialize(
        new Dictionary<string, object>(StringComparer.Ordinal)
        {
            ["architectures"] = new[] { "T5ForConditionalGeneration" },
            ["model_type"] = "t5",
            ["is_encoder_decoder"] = true,
            ["d_model"] = Model,
            ["d_ff"] = FeedForward,
            ["d_kv"] = HeadWidth,
            ["num_heads"] = Heads,
            ["num_layers"] = Layers,
            ["num_decoder_layers"] = Layers,
            ["vocab_size"] = Vocabulary,
            ["feed_forward_proj"] = "relu",
            ["tie_word_embeddings"] = true,
            ["pad_token_id"] = 0,
            ["eos_token_id"] = 1,
            ["decoder_start_token_id"] = 0,
        }
    );

    private readonly ModelFolderFixture _model = new();

    public void Dispose() => _model.Dispose();

    [Fact]
    public async Task A_model_of_one_bin_file_loads_config_first_and_gives_the_tokens_of_its_safetensors_twin()
    {
        List<(string, long[], float[])> weights = Weights();
        _model.Write("config.json", Config).Write("model.safetensors", Safetensors.Write(weights));
        (LoadReport twin, string[] expected) = await LoadAndGenerateAsync();
        File.Delete(Path.Join(_model.Folder, "model.safetensors"));
        _model.Write("pytorch_model.bin", TorchCheckpoint.Zip([.. weights, .. Tied(weights[0])]));

        (LoadReport report, string[] tokens) = await LoadAndGenerateAsync();

        twin.Strategy.Should().Be(LoadStrategy.Direct);
        report.Strategy.Should().Be(LoadStrategy.ConfigFirst);
        report.Files.Should().Equal("pytorch_model.bin");
        report.Tries.Should().ContainSingle().Which.Error.Should().BeNull();
        report.Parameters.Should().Be(18_716_672);
        report.UnusedTensors.Should().BeEmpty();
        report.WeightsDigest.Should().Be(twin.WeightsDigest);
        expected.Distinct(StringComparer.Ordinal).Should().HaveCountGreaterThan(1);
        tokens.Should().Equal(expected);
    }

    [Fact]
    public void With_one_tensor_removed_it_is_refused_by_the_name_of_the_tensor()
    {
        const string Removed = "decoder.block.2.layer.1.EncDecAttention.k.weight";
        List<(string Name, long[], float[])> weights = Weights();
        weights.RemoveAll(tensor => tensor.Name == Removed);
        _model.Write("config.json", Config).Write("pytorch_model.bin", TorchCheckpoint.Zip(weights));

        Action load = () => LoadModel();

        LoadReport report = load.Should().Throw<ModelLoadException>().Which.Report;
        report.Code.Should().Be(LoadCodes.TensorMissing);
        report.Message.Should().Be($"pytorch_model.bin: tensor '{Removed}' [512, 256] is missing.");
    }

    private SequenceModel LoadModel() =>
        SequenceModel.Load(
            new ModelLoadOptions { Name = "t5-efficient-tiny-nh8", Folder = _model.Folder },
            TestContext.Current.CancellationToken
        );

    private async Task<(LoadReport Report, string[] Tokens)> LoadAndGenerateAsync()
    {
        await using SequenceModel model = LoadModel();
        IReadOnlyList<SequenceResult> results = await model.GenerateAsync(
            [SequenceInput.FromTokenIds([100, 2000, 30_000, 1]), SequenceInput.FromTokenIds([7, 7, 1])],
            new GenerationParameters { MaxNewTokens = 8, NumBeams = 2 },
            TestContext.Current.CancellationToken
        );
        return (model.Report, [.. results.Select(result => string.Join(' ', result.Outputs[0].TokenIds))]);
    }

    private static List<(string Name, long[] Shape, float[] Values)> Weights()
    {
        const int Inner = Heads * HeadWidth;
        var random = new Random(10142);
        List<(string, long[], float[])> weights = [];
        Add("shared.weight", 1, Vocabulary, Model);
        foreach ((string stack, string[] attentions) in Stacks)
        {
            for (int block = 0; block < Layers; block++)
            {
                int layer = 0;
                foreach (string attention in attentions)
                {
                    string scope = $"{stack}.block.{block}.layer.{layer++}";
                    Add($"{scope}.{attention}.q.weight", 0.02, Inner, Model);
                    Add($"{scope}.{attention}.k.weight", 0.06, Inner, Model);
                    Add($"{scope}.{attention}.v.weight", 0.06, Inner, Model);
                    Add($"{scope}.{attention}.o.weight", 0.06, Model, Inner);
                    Add($"{scope}.layer_norm.weight", 1, Model);
                    if (block == 0 && attention == "SelfAttention")
                    {
                        Add($"{scope}.{attention}.relative_attention_bias.weight", 1, 32, Heads);
                    }
                }

                Add($"{stack}.block.{block}.layer.{layer}.DenseReluDense.wi.weight", 0.06, FeedForward, Model);
                Add($"{stack}.block.{block}.layer.{layer}.DenseReluDense.wo.weight", 0.06, Model, FeedForward);
                Add($"{stack}.block.{block}.layer.{layer}.layer_norm.weight", 1, Model);
            }

            Add($"{stack}.final_layer_norm.weight", 1, Model);
        }

        return weights;

        void Add(string name, double scale, params long[] shape)
        {
            float[] values = new float[shape.Aggregate((a, b) => a * b)];
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = (float)(scale * (2 * random.NextDouble() - 1));
            }

            weights.Add((name, shape, values));
        }
    }

    private static IEnumerable<(string Stack, string[] Attentions)> Stacks =>
        [("encoder", ["SelfAttention"]), ("decoder", ["SelfAttention", "EncDecAttention"])];

    // A .bin of the hub stores the one matrix under all of its names.
    private static IEnumerable<(string, long[], float[])> Tied((string Name, long[] Shape, float[] Values) shared) =>
        new[] { "encoder.embed_tokens.weight", "decoder.embed_tokens.weight", "lm_head.weight" }.Select(name =>
            (name, shared.Shape, shared.Values)
        );
}
