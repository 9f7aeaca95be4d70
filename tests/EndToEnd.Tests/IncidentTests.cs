using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Seq2Seq.Inference.Tests.Weights.Torch;

namespace Seq2Seq.EndToEnd.Tests;

/// <summary>
/// The incident that this product answers (gradio-app/gradio 10142 and 10148), through the whole service: a model that comes as
/// pytorch_model.bin alone serves the tokens of its safetensors twin and says how it was loaded; with one tensor gone, nothing is
/// served, and the job that waits for it names the tensor and the cause.
/// </summary>
public sealed class IncidentTests(ExpectedTexts expected) : IClassFixture<ExpectedTexts>
{
    private const int LineCount = 200;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_model_of_one_bin_file_serves_the_answers_of_its_twin_and_the_job_says_how_it_was_loaded()
    {
        using var data = new DataFolder();
        string folder = CreateBinOnlyModel(data, _ => true);
        await using var service = ServiceProcess.Start(data.Path, environment: Configuration(folder));
        await service.ReadyAsync(Cancelled);

        string job = await service.Http.SubmitAsync(Words.Lines(LineCount), Cancelled);
        (await service.Http.UntilAsync(job, long.MaxValue, Cancelled))
            .Should()
            .Be(new JobClient.JobState("completed", LineCount, 0), service.Log);

        (await service.Http.ResultsAsync(job, "text", Cancelled))
            .Should()
            .Be(string.Concat(expected.Texts.Take(LineCount).Select(text => text + "\n")));
        JsonElement resource = await service.Http.GetFromJsonAsync<JsonElement>("jobs/" + job, Cancelled);
        JsonElement servedBy = resource.GetProperty("served_by").EnumerateArray().Should().ContainSingle().Which;
        servedBy.GetProperty("lines").GetInt32().Should().Be(LineCount);
        JsonElement report = servedBy.GetProperty("report");
        report.GetProperty("strategy").GetString().Should().Be("config-first");
        report.GetProperty("files").EnumerateArray().Select(file => file.GetString()).Should().Equal(BinFile);
    }

    [Fact]
    public async Task With_one_tensor_removed_nothing_is_served_and_the_waiting_job_names_tensor_and_cause()
    {
        const string Removed = "decoder.block.1.layer.1.EncDecAttention.k.weight";
        using var data = new DataFolder();
        string folder = CreateBinOnlyModel(data, tensor => tensor != Removed);
        await using var service = ServiceProcess.Start(data.Path, environment: Configuration(folder));
        await service.AnswersAsync(Cancelled);

        string job = await service.Http.SubmitAsync(Words.Lines(LineCount), Cancelled);

        JsonElement error = await ErrorAsync(service, job);
        error.GetProperty("code").GetString().Should().Be("model_load_failed");
        error
            .GetProperty("message")
            .GetString()
            .Should()
            .Contain($"{BinFile}: tensor '{Removed}'")
            .And.Contain("missing");
        (await service.Http.StateAsync(job, Cancelled)).Should().Be(new JobClient.JobState("queued", 0, 0));
        using HttpResponseMessage ready = await service.Http.GetAsync("readyz", Cancelled);
        ready.StatusCode.Should().Be(HttpStatusCode.ServiceUnavailable);
    }

    private const string BinFile = "pytorch_model.bin";

    private static Dictionary<string, string> Configuration(string folder) =>
        new(StringComparer.Ordinal)
        {
            ["Models__english-tts__Folder"] = folder,
            ["Slots__0__Device"] = "cpu:0",
            ["Slots__0__Threads"] = "1",
            ["Jobs__Lease"] = "00:00:05",
        };

    private static async Task<JsonElement> ErrorAsync(ServiceProcess service, string job)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        limit.CancelAfter(TimeSpan.FromMinutes(2));
        while (true)
        {
            JsonElement resource = await service.Http.GetFromJsonAsync<JsonElement>("jobs/" + job, limit.Token);
            if (resource.TryGetProperty("error", out JsonElement error) && error.ValueKind == JsonValueKind.Object)
            {
                return error;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), limit.Token);
        }
    }

    private static string CreateBinOnlyModel(DataFolder data, Func<string, bool> keeps)
    {
        string folder = Directory.CreateDirectory(Path.Combine(data.Path, "bin-only")).FullName;
        foreach (string file in Directory.EnumerateFiles(Program.BundledModel, "*.json").Append(Tokenizer))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }

        File.WriteAllBytes(
            Path.Combine(folder, BinFile),
            TorchCheckpoint.Zip([.. ReadWeights().Where(tensor => keeps(tensor.Name))])
        );
        return folder;
    }

    private static string Tokenizer => Path.Combine(Program.BundledModel, "spiece.model");

    // A safetensors file: the header's length, the header in JSON, the values. All tensors of this one are float32.
    private static IEnumerable<(string Name, long[] Shape, float[] Values)> ReadWeights()
    {
        byte[] file = File.ReadAllBytes(Path.Combine(Program.BundledModel, "model.safetensors"));
        int start = 8 + (int)BitConverter.ToInt64(file);
        foreach ((string name, JsonNode? tensor) in JsonNode.Parse(file.AsSpan(8..start))!.AsObject())
        {
            if (name == "__metadata__")
            {
                continue;
            }

            int[] range = tensor!["data_offsets"]!.Deserialize<int[]>()!;
            float[] values = new float[(range[1] - range[0]) / sizeof(float)];
            Buffer.BlockCopy(file, start + range[0], values, 0, range[1] - range[0]);
            yield return (name, tensor["shape"]!.Deserialize<long[]>()!, values);
        }
    }
}
