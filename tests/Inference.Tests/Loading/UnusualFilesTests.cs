using System.Runtime.InteropServices;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Tests.Weights;
using Seq2Seq.Inference.Weights;

namespace Seq2Seq.Inference.Tests.Loading;

/// <summary>Weights files that are no plain files, may not be read, or change under the reader's hands.</summary>
public sealed partial class UnusualFilesTests : IDisposable
{
    private const string Name = "model.safetensors";
    private const string Config = """{"model_type": "tiny", "vocab_size": 3, "d_model": 2}""";
    private static readonly byte[] Whole = Safetensors.Write(
        ("shared.weight", [3, 2], [1, 2, 3, 4, 5, 6]),
        ("layers.0.weight", [2, 2], [7, 8, 9, 10])
    );

    private readonly ModelFolderFixture _model = new ModelFolderFixture().Write("config.json", Config);

    private string FilePath => Path.Join(_model.Folder, Name);

    public void Dispose() => _model.Dispose();

    [Theory]
    [InlineData(Name)]
    [InlineData("pytorch_model.bin")]
    [InlineData("model.safetensors.index.json")]
    public void A_named_pipe_is_refused_without_waiting_for_its_writer(string name)
    {
        MakeFifo(Path.Join(_model.Folder, name), 0x180).Should().Be(0);

        Refusal().Report.Message.Should().Contain($"{name} holds no bytes (or is no regular file)");
    }

    [Fact]
    public void A_configuration_that_is_a_named_pipe_is_refused_without_waiting_for_its_writer()
    {
        File.Delete(Path.Join(_model.Folder, "config.json"));
        MakeFifo(Path.Join(_model.Folder, "config.json"), 0x180).Should().Be(0);

        Refusal().Code.Should().Be(LoadCodes.ConfigUnreadable);
    }

    [Fact]
    public void A_file_that_may_not_be_read_is_refused()
    {
        Assert.SkipWhen(Environment.IsPrivilegedProcess, "root may read everything");
        _model.Write(Name, Whole);
        File.SetUnixFileMode(FilePath, UnixFileMode.None);

        ModelLoadException refusal = Refusal();

        refusal.Code.Should().Be(LoadCodes.WeightsUnreadable);
        refusal.Report.Message.Should().Contain(Name);
    }

    [Fact]
    public void A_file_that_is_cut_after_it_was_opened_is_refused_and_kills_nothing()
    {
        _model.Write(Name, Whole);
        using WeightsFile file = WeightsFile.Open(FilePath, Name);
        using (FileStream stream = File.Open(FilePath, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            stream.SetLength(Whole.Length - 20);
        }

        Action read = () => StoredTensorReader.Read(file.Tensors[1], 0, new float[4], crc: null);

        read.Should().Throw<LoadRefusedException>().WithMessage($"{Name}: the file ended at byte*cut short meanwhile?");
    }

    [Fact]
    public void A_file_that_is_written_to_while_it_is_read_is_refused()
    {
        _model.Write(Name, Whole);
        using WeightsFile file = WeightsFile.Open(FilePath, Name);
        file.CheckUnchanged();
        File.SetLastWriteTimeUtc(FilePath, File.GetLastWriteTimeUtc(FilePath).AddSeconds(1));

        Action check = file.CheckUnchanged;

        check.Should().Throw<LoadRefusedException>().WithMessage($"{Name} was changed while it was read*");
    }

    [Fact]
    public void A_file_longer_than_it_says_is_not_read_whole_to_find_out()
    {
        // 4 TiB that hold nothing: reading or allocating them would be noticed.
        _model.Write(Name, Whole);
        using (FileStream stream = File.OpenWrite(FilePath))
        {
            stream.SetLength(1L << 42);
        }

        ModelLoadException refusal = Refusal();

        refusal.Code.Should().Be(LoadCodes.WeightsCorrupt);
        refusal.Report.Message.Should().Contain("the file holds");
    }

    private ModelLoadException Refusal()
    {
        Action load = () =>
            LoadPlan
                .Load(
                    new ModelLoadOptions { Name = "tiny", Folder = _model.Folder },
                    TinyFamily.Registry,
                    TestContext.Current.CancellationToken
                )
                .Dispose();
        return load.Should().Throw<ModelLoadException>().Which;
    }

    [LibraryImport("libc", EntryPoint = "mkfifo", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakeFifo(string path, uint mode);
}
