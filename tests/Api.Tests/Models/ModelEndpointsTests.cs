using System.Text.Json;

namespace Seq2Seq.Api.Tests.Models;

public sealed class ModelEndpointsTests(ApiFixture api) : IClassFixture<ApiFixture>
{
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
        (await api.Client.GetJsonAsync("/models/capitals")).GetRawText().Should().Be(model.GetRawText());
    }

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
}
