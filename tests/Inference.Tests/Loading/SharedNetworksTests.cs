using Seq2Seq.Inference.Devices;
using Seq2Seq.Inference.Families;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Tests.Families;
using TorchSharp;

namespace Seq2Seq.Inference.Tests.Loading;

[Collection(TensorCount.Collection)]
public sealed class SharedNetworksTests : IDisposable
{
    private readonly ModelFolderFixture _model = new();

    public SharedNetworksTests()
    {
        foreach (string file in Directory.EnumerateFiles(GoldenFamily.Open("t5").Folder))
        {
            File.Copy(file, Path.Join(_model.Folder, Path.GetFileName(file)));
        }
    }

    public void Dispose() => _model.Dispose();

    [Fact]
    public void Two_slots_of_one_model_hold_one_network_until_the_last_lets_go()
    {
        long before = torch.Tensor.TotalCount;
        LoadedNetwork first = Load("one", "cpu:0");
        long held = torch.Tensor.TotalCount;

        LoadedNetwork second = Load("two", "cpu:1");

        second.Network.Should().BeSameAs(first.Network);
        torch.Tensor.TotalCount.Should().Be(held);
        first.Dispose();
        first.Dispose();
        torch.Tensor.TotalCount.Should().Be(held);
        second.Dispose();
        torch.Tensor.TotalCount.Should().Be(before);
    }

    [Fact]
    public void Each_holder_has_a_report_of_its_own()
    {
        using LoadedNetwork first = Load("one", "cpu:0");

        using LoadedNetwork second = Load("two", "cpu:1");

        first.Report.Model.Should().Be("one");
        first.Report.Device.Should().Be("cpu:0");
        second.Report.Model.Should().Be("two");
        second.Report.Device.Should().Be("cpu:1");
        second.Report.WeightsDigest.Should().Be(first.Report.WeightsDigest);
        second.Report.Tries.Should().ContainSingle().Which.Error.Should().BeNull();
        second.Report.Notes.Should().ContainMatch("*in memory once*");
        first.Report.Notes.Should().NotContainMatch("*in memory once*");
    }

    [Fact]
    public void Another_compute_type_is_another_network()
    {
        using LoadedNetwork first = Load("one", "cpu:0");

        using LoadedNetwork second = Load("two", "cpu:1", "float16");

        second.Network.Should().NotBeSameAs(first.Network);
    }

    [Fact]
    public void Files_that_were_written_since_make_another_network()
    {
        using LoadedNetwork first = Load("one", "cpu:0");
        File.SetLastWriteTimeUtc(
            Path.Join(_model.Folder, "config.json"),
            new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc)
        );

        using LoadedNetwork second = Load("two", "cpu:1");

        second.Network.Should().NotBeSameAs(first.Network);
    }

    [Fact]
    public async Task Loads_at_the_same_time_make_one_network()
    {
        LoadedNetwork[] loaded = await Task.WhenAll(
            Enumerable.Range(0, 4).Select(slot => Task.Run(() => Load("one", $"cpu:{slot}")))
        );

        loaded.Select(one => one.Network).Distinct().Should().ContainSingle();
        loaded
            .Count(one => one.Report.Notes.Any(note => note.EndsWith("in memory once.", StringComparison.Ordinal)))
            .Should()
            .Be(3);
        foreach (LoadedNetwork one in loaded)
        {
            one.Dispose();
        }
    }

    [Fact]
    public void A_refused_load_leaves_nothing_behind()
    {
        byte[] config = File.ReadAllBytes(Path.Join(_model.Folder, "config.json"));
        DateTime time = File.GetLastWriteTimeUtc(Path.Join(_model.Folder, "config.json"));
        _model.Write("config.json", "{}");
        ((Action)(() => Load("one", "cpu:0"))).Should().Throw<ModelLoadException>();
        _model.Write("config.json", config);
        File.SetLastWriteTimeUtc(Path.Join(_model.Folder, "config.json"), time);

        using LoadedNetwork loaded = Load("one", "cpu:0");

        loaded.Report.Outcome.Should().Be(LoadOutcome.Loaded);
    }

    private LoadedNetwork Load(string name, string device, string computeType = "float32") =>
        SharedNetworks.Load(
            new ModelLoadOptions
            {
                Name = name,
                Folder = _model.Folder,
                Device = ComputeDevice.Parse(device),
                ComputeType = computeType,
                Threads = 1,
            },
            FamilyRegistry.Default,
            TestContext.Current.CancellationToken
        );
}
