using System.Net;
using System.Text.Json;

namespace Seq2Seq.Api.Tests.Models;

public sealed class ModelEndpointsTests(ApiFixture api) : IClassFixture<ApiFixture>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Models_say_where_they_stand_and_how_they_were_loaded()
    {
        JsonElement models = (await api.Client.GetJsonAsync("/models")).GetProperty("models");

        JsonElement model = models.EnumerateArray().Should().ContainSingle().Subject;
        model.GetProperty("name").GetString().Should().Be("capitals");
        model.GetProperty("state").GetString().Should().Be("ready");
        JsonElement slot = model.GetProperty("slots")[0];
        slot.GetProperty("slot").GetString().Should().Be("cpu:0");
        slot.GetProperty("state").GetString().Should().Be("ready");
        JsonElement report = slot.GetProperty("report");
        report.GetProperty("outcome").GetString().Should().Be("loaded");
        report.GetProperty("model_type").GetString().Should().Be("t5");
        report.GetProperty("tries")[1].GetProperty("target").GetString().Should().Be("pytorch_model.bin");
        JsonElement alone = await api.Client.GetJsonAsync("/models/capitals");
        alone.GetProperty("slots").GetRawText().Should().Be(model.GetProperty("slots").GetRawText());
    }

    [Fact]
    public async Task A_model_names_the_languages_that_its_jobs_can_ask_for()
    {
        JsonElement languages = (await api.Client.GetJsonAsync("/models/capitals")).GetProperty("languages");

        languages.GetRawText().Should().Be("""{"source":["eng"],"target":["deu","fra"]}""");
    }

    [Fact]
    public async Task A_list_of_models_has_no_lists_of_languages() =>
        (await api.Client.GetStringAsync("/models", Cancellation)).Should().NotContain("deu");

    [Fact]
    public async Task Devices_say_what_they_hold_and_do()
    {
        JsonElement devices = (await api.Client.GetJsonAsync("/devices")).GetProperty("devices");

        JsonElement slot = devices.EnumerateArray().Should().ContainSingle().Subject;
        slot.GetProperty("name").GetString().Should().Be("cpu:0");
        slot.GetProperty("state").GetString().Should().Be("ready");
        slot.GetProperty("threads").GetInt32().Should().BePositive();
        slot.GetProperty("process_id").GetInt32().Should().Be(Environment.ProcessId);
        slot.GetProperty("models")[0].GetString().Should().Be("capitals");
        slot.GetProperty("utilisation").GetDouble().Should().BeInRange(0, 1);
    }

    [Fact]
    public async Task A_paused_model_starts_no_shard_until_it_is_resumed()
    {
        (await ActAsync("pause")).GetProperty("paused").GetBoolean().Should().BeTrue();
        (await ActAsync("pause")).GetProperty("paused").GetBoolean().Should().BeTrue();
        Guid id = await api.Client.SubmitAsync("a");
        JsonElement waiting = await api.Client.GetJsonAsync($"/jobs/{id}?wait_seconds=1");
        waiting.GetProperty("state").GetString().Should().Be("queued");

        (await ActAsync("resume")).GetProperty("paused").GetBoolean().Should().BeFalse();

        (await api.Client.WaitAsync(id)).GetProperty("state").GetString().Should().Be("completed");
    }

    [Fact]
    public async Task A_load_is_asked_for_and_accepted()
    {
        HttpResponseMessage response = await api.Client.PostAsync("/models/capitals/load", null, Cancellation);

        response.StatusCode.Should().Be(HttpStatusCode.Accepted);
        response.Headers.Location!.ToString().Should().Be("/models/capitals");
    }

    [Theory]
    [InlineData("pause")]
    [InlineData("resume")]
    [InlineData("load")]
    public async Task A_model_that_is_not_there_is_404_with_those_that_are(string action)
    {
        HttpResponseMessage response = await api.Client.PostAsync($"/models/a%2Fb/{action}", null, Cancellation);

        JsonElement problem = await response.ShouldBeProblemAsync(404, "model_not_found");
        problem.GetProperty("found").GetString().Should().Be("a/b");
        problem.GetProperty("expected").GetString().Should().Be("capitals");
    }

    private async Task<JsonElement> ActAsync(string action)
    {
        HttpResponseMessage response = await api.Client.PostAsync($"/models/capitals/{action}", null, Cancellation);
        response.StatusCode.Should().Be(HttpStatusCode.OK);
        return await response.ReadAsync();
    }
}
