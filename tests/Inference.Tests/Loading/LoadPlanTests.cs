using CsCheck;
using Seq2Seq.Inference.Devices;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Tests.Weights;
using Seq2Seq.Inference.Tests.Weights.Torch;
using TorchSharp;

namespace Seq2Seq.Inference.Tests.Loading;

[Collection(TensorCount.Collection)]
public sealed class LoadPlanTests : IDisposable
{
    private const string Config = """{"model_type": "tiny", "vocab_size": 3, "d_model": 2, "num_layers": 1}""";
    private static readonly (string, long[], float[]) Shared = ("shared.weight", [3, 2], [1, 2, 3, 4, 5, 6]);
    private static readonly (string, long[], float[]) Layer = ("layers.0.weight", [2, 2], [7, 8, 9, 10]);

    private readonly ModelFolderFixture _model = new();

    public void Dispose() => _model.Dispose();

    [Fact]
    public void A_whole_safetensors_file_loads_directly()
    {
        _model.Write("config.json", Config).Write("model.safetensors", Safetensors.Write(Shared, Layer));

        using LoadedNetwork loaded = Load();

        LoadReport report = loaded.Report;
        report.Outcome.Should().Be(LoadOutcome.Loaded);
        report.Strategy.Should().Be(LoadStrategy.Direct);
        report.ModelType.Should().Be("tiny");
        report.Parameters.Should().Be(10);
        report.Bytes.Should().Be(40);
        report.Files.Should().Equal("model.safetensors");
        report.Tries.Should().ContainSingle().Which.Error.Should().BeNull();
        report.WeightsDigest.Should().MatchRegex("^[0-9a-f]{64}$");
        Values(loaded, 0).Should().Equal(1, 2, 3, 4, 5, 6);
        Values(loaded, 1).Should().Equal(7, 8, 9, 10);
    }

    [Fact]
    public void Tied_weights_load_from_any_member_and_have_one_digest()
    {
        _model.Write("config.json", Config).Write("model.safetensors", Safetensors.Write(Shared, Layer));
        using LoadedNetwork shared = Load();
        _model.Write(
            "model.safetensors",
            Safetensors.Write(("lm_head.weight", [3, 2], [1, 2, 3, 4, 5, 6]), Layer, ("step", [1], [5]))
        );

        using LoadedNetwork head = Load();

        head.Report.WeightsDigest.Should().Be(shared.Report.WeightsDigest);
        head.Report.UnusedTensors.Should().Equal("step");
    }

    [Fact]
    public void A_missing_and_a_misshapen_tensor_are_both_named()
    {
        _model
            .Write("config.json", Config)
            .Write("model.safetensors", Safetensors.Write(("shared.weight", [2, 3], new float[6])));

        ModelLoadException refusal = Refusal();

        refusal.Code.Should().Be(LoadCodes.TensorShape);
        refusal.Report.Message.Should().Contain("'shared.weight' has shape [2, 3]; expected [3, 2]");
        refusal.Report.Message.Should().Contain("'layers.0.weight' [2, 2] is missing");
        refusal.Report.Tries.Should().ContainSingle().Which.Code.Should().Be(LoadCodes.TensorShape);
        refusal.InnerException.Should().BeOfType<LoadRefusedException>();
    }

    [Theory]
    [InlineData(float.NaN, "NaN")]
    [InlineData(float.NegativeInfinity, "-Infinity")]
    public void A_value_that_is_not_finite_is_refused_with_its_place(float value, string name)
    {
        _model
            .Write("config.json", Config)
            .Write("model.safetensors", Safetensors.Write(("shared.weight", [3, 2], [1, 2, 3, 4, value, 6]), Layer));

        ModelLoadException refusal = Refusal();

        refusal.Code.Should().Be(LoadCodes.TensorNotFinite);
        refusal.Report.Message.Should().Contain($"'shared.weight' holds {name} at element 4 of 6");
    }

    [Fact]
    public void A_file_that_ends_in_zeros_is_refused_and_a_zero_matrix_elsewhere_is_noted()
    {
        (string, long[], float[]) zeros = ("layers.0.weight", [2, 2], new float[4]);
        _model.Write("config.json", Config).Write("model.safetensors", Safetensors.Write(zeros, Shared));
        using LoadedNetwork loaded = Load();
        _model.Write("model.safetensors", Safetensors.Write(Shared, zeros));

        ModelLoadException refusal = Refusal();

        loaded.Report.Notes.Should().ContainSingle().Which.Should().Contain("layers.0.weight");
        refusal.Code.Should().Be(LoadCodes.WeightsZeroTail);
    }

    [Theory]
    [InlineData("""{"model_type": "tiny", "d_model": 2}""", "'vocab_size' is absent")]
    [InlineData(
        """{"model_type": "tiny", "vocab_size": 0, "d_model": 2}""",
        "'vocab_size' is 0; expected a whole number"
    )]
    [InlineData("""{"model_type": "tiny", "vocab_size": 3, "d_model": 2.5}""", "'d_model' is 2.5")]
    [InlineData("""{"model_type": "tiny", "vocab_size": 3, "d_model": null}""", "'d_model' is null")]
    [InlineData("""{"model_type": "tiny", "vocab_size": 3, "d_model": 1e30}""", "'d_model' is 1e30")]
    [InlineData("{}", "'model_type' is absent")]
    public void A_configuration_that_cannot_be_used_is_refused_by_key(string config, string expected)
    {
        _model.Write("config.json", config).Write("model.safetensors", Safetensors.Write(Shared, Layer));

        ModelLoadException refusal = Refusal();

        refusal.Code.Should().Be(LoadCodes.ConfigInvalid);
        refusal.Report.Message.Should().Contain(expected);
    }

    [Fact]
    public void A_claim_of_two_billion_layers_is_refused_at_once()
    {
        _model
            .Write(
                "config.json",
                Config.Replace("\"num_layers\": 1", "\"num_layers\": 2147483647", StringComparison.Ordinal)
            )
            .Write("model.safetensors", Safetensors.Write(Shared, Layer));

        ModelLoadException refusal = Refusal();

        refusal.Code.Should().Be(LoadCodes.TensorMissing);
        refusal.Report.Message.Should().Contain("layers.1.weight");
        refusal.Report.Seconds.Should().BeLessThan(1);
    }

    [Fact]
    public void Two_parts_of_one_checkpoint_are_put_together()
    {
        _model
            .Write("config.json", Config)
            .Write("model.safetensors", Safetensors.Write(Shared, ("bias", [2], [1, 2])))
            .Write("pytorch_model.bin", TorchCheckpoint.Zip(Layer, ("bias", [2], [1, 2])));

        using LoadedNetwork loaded = Load();

        loaded.Report.Strategy.Should().Be(LoadStrategy.ConfigFirst);
        loaded.Report.Files.Should().Equal("model.safetensors", "pytorch_model.bin");
        loaded
            .Report.Tries.Select(attempt => attempt.Target)
            .Should()
            .Equal("model.safetensors", "pytorch_model.bin", "model.safetensors + pytorch_model.bin");
        Values(loaded, 1).Should().Equal(7, 8, 9, 10);
    }

    [Fact]
    public void Parts_of_two_checkpoints_are_never_mixed()
    {
        _model
            .Write("config.json", Config)
            .Write("model.safetensors", Safetensors.Write(Shared, ("bias", [2], [1, 2])))
            .Write("pytorch_model.bin", TorchCheckpoint.Zip(Layer, ("bias", [2], [1, 3])));

        ModelLoadException refusal = Refusal();

        refusal.Code.Should().Be(LoadCodes.TensorMissing, "the first error leads");
        refusal.Report.Tries[^1].Code.Should().Be(LoadCodes.WeightsAmbiguous);
        refusal
            .Report.Message.Should()
            .Contain("'bias' has other values in pytorch_model.bin than in model.safetensors");
    }

    [Fact]
    public void A_damaged_storage_is_told_by_its_checksum_however_it_is_viewed()
    {
        byte[] archive = TorchCheckpoint.Zip(Shared, Layer);
        int place = archive.AsSpan().IndexOf(BitConverter.GetBytes(9f));
        archive[place] ^= 1;
        _model.Write("config.json", Config).Write("pytorch_model.bin", archive);

        Refusal().Report.Message.Should().Contain("entry 'pytorch_model/data/1': its CRC-32 is");
    }

    [Fact]
    public void Mutated_folders_load_or_are_refused_and_nothing_else_happens()
    {
        byte[] safetensors = Safetensors.Write(Shared, Layer);
        byte[] bin = TorchCheckpoint.Zip(Shared, Layer);
        Gen<(int, byte)[]> mutations = Gen.Select(Gen.Int[0, 5000], Gen.Byte).Array[1, 3];
        _model.Write("config.json", Config);
        Gen.Select(mutations, mutations)
            .Sample(
                (ofSafetensors, ofBin) =>
                {
                    _model.Write("model.safetensors", Mutate(safetensors, ofSafetensors));
                    _model.Write("pytorch_model.bin", Mutate(bin, ofBin));
                    try
                    {
                        Load().Dispose();
                    }
                    catch (ModelLoadException refusal)
                    {
                        refusal.Report.Message.Should().Contain("model.safetensors");
                    }
                },
                iter: 500,
                threads: 1
            );

        static byte[] Mutate(byte[] file, (int Index, byte Value)[] mutations)
        {
            byte[] mutated = [.. file];
            foreach ((int index, byte value) in mutations)
            {
                mutated[index % mutated.Length] = value;
            }

            return mutated;
        }
    }

    [Fact]
    public void A_device_that_is_not_there_and_an_unknown_compute_type_are_refused()
    {
        _model.Write("config.json", Config).Write("model.safetensors", Safetensors.Write(Shared, Layer));
        var options = new ModelLoadOptions { Name = "tiny", Folder = _model.Folder };

        Refusal(options with { Device = ComputeDevice.Parse("cuda:99") }).Report.Message.Should().Contain("cuda:99");
        Refusal(options with { ComputeType = "float8" }).Code.Should().Be(LoadCodes.DeviceUnavailable);
    }

    [Fact]
    public void A_load_can_be_cancelled()
    {
        _model.Write("config.json", Config).Write("model.safetensors", Safetensors.Write(Shared, Layer));
        var options = new ModelLoadOptions { Name = "tiny", Folder = _model.Folder };
        Action load = () => LoadPlan.Load(options, TinyFamily.Registry, new CancellationToken(canceled: true));

        load.Should().Throw<OperationCanceledException>();
    }

    [Fact]
    public void Neither_a_load_nor_a_refusal_leaves_tensors_behind()
    {
        long before = torch.Tensor.TotalCount;
        _model.Write("config.json", Config).Write("model.safetensors", Safetensors.Write(Shared, Layer));
        Load().Dispose();
        _model.Write("model.safetensors", Safetensors.Write(Shared));
        Refusal();

        torch.Tensor.TotalCount.Should().Be(before);
    }

    private static float[] Values(LoadedNetwork loaded, int index) =>
        [.. ((TinyNetwork)loaded.Network).Tensors[index].data<float>()];

    private LoadedNetwork Load() =>
        LoadPlan.Load(
            new ModelLoadOptions { Name = "tiny", Folder = _model.Folder },
            TinyFamily.Registry,
            TestContext.Current.CancellationToken
        );

    private ModelLoadException Refusal() => Refusal(new ModelLoadOptions { Name = "tiny", Folder = _model.Folder });

    private static ModelLoadException Refusal(ModelLoadOptions options) =>
        ((Action)(() => LoadPlan.Load(options, TinyFamily.Registry, TestContext.Current.CancellationToken).Dispose()))
            .Should()
            .Throw<ModelLoadException>()
            .Which;
}
