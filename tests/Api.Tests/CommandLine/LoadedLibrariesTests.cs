using Seq2Seq.Api.CommandLine;

namespace Seq2Seq.Api.Tests.CommandLine;

/// <summary>Most of a short command's time goes by while torch is loaded: what needs none does without, by the dynamic linker's own log.</summary>
public sealed class LoadedLibrariesTests : IDisposable
{
    private static readonly string _model = Path.Combine(AppContext.BaseDirectory, "models", "english-tts");

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Tokenizing_loads_no_torch() =>
        (await LoadsTorchAsync(ExitCode.Success, "tokenize", "--model", _model)).Should().BeFalse();

    [Fact]
    public async Task A_folder_whose_weights_can_not_be_read_is_refused_without_torch()
    {
        string folder = _folder.CreateSubdirectory("model").FullName;
        File.Copy(Path.Combine(_model, "config.json"), Path.Combine(folder, "config.json"));
        await File.WriteAllTextAsync(
            Path.Combine(folder, "model.safetensors"),
            "nothing of the kind",
            TestContext.Current.CancellationToken
        );

        (await LoadsTorchAsync(ExitCode.Failure, "models", "check", folder)).Should().BeFalse();
    }

    [Fact]
    public async Task A_model_that_is_loaded_loads_torch() =>
        (await LoadsTorchAsync(ExitCode.Success, "models", "check", _model)).Should().BeTrue();

    private async Task<bool> LoadsTorchAsync(int exitCode, params string[] arguments)
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["LD_DEBUG"] = "files",
            ["LD_DEBUG_OUTPUT"] = Path.Combine(_folder.FullName, "linker"),
        };

        Executable.Outcome run = await Executable.RunAsync("", environment, arguments);

        run.ExitCode.Should().Be(exitCode, run.Error);
        string log = string.Concat(_folder.GetFiles("linker.*").Select(file => File.ReadAllText(file.FullName)));
        log.Should().Contain("libcoreclr.so");
        return log.Contains("libtorch_cpu.so", StringComparison.Ordinal);
    }
}
