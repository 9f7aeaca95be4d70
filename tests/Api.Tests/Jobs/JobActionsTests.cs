using System.Net;
using System.Text.Json;

namespace Seq2Seq.Api.Tests.Jobs;

public sealed class JobActionsTests(ApiFixture api) : IClassFixture<ApiFixture>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_paused_job_begins_no_shard_until_it_is_resumed()
    {
        string held = CapitalsModel.HeldLine();
        // The slot is busy with it while the other job is paused.
        Guid id = await api.Client.SubmitAsync([held, .. Enumerable.Range(0, 60).Select(line => $"line {line}")]);

        (await ActAsync(id, "pause")).GetProperty("state").GetString().Should().Be("paused");
        (await ActAsync(id, "pause")).GetProperty("state").GetString().Should().Be("paused");
        api.Application.CapitalsModel.Release(held);
        await NothingRunsAsync(id);
        JsonElement paused = await api.Client.GetJsonAsync($"/jobs/{id}");
        paused.GetProperty("finished_at").ValueKind.Should().Be(JsonValueKind.Null);

        (await ActAsync(id, "resume")).GetProperty("state").GetString().Should().NotBe("paused");
        (await api.Client.WaitAsync(id)).GetProperty("lines_done").GetInt64().Should().Be(61);
    }

    [Fact]
    public async Task A_retry_is_the_same_jobs_next_run_for_its_failed_lines_alone()
    {
        string held = CapitalsModel.HeldLine();
        Guid id = await api.Client.SubmitAsync("first", held, "", "last");
        await EventuallyAsync(id, job => job.GetProperty("lines_done").GetInt64() >= 1);
        await ActAsync(id, "cancel");
        api.Application.CapitalsModel.Release(held);

        JsonElement retried = await ActAsync(id, "retry");

        retried.GetProperty("run").GetInt32().Should().Be(2);
        retried.GetProperty("lines_done").GetInt64().Should().BeGreaterThanOrEqualTo(1);
        JsonElement done = await api.Client.WaitAsync(id);
        done.GetProperty("state").GetString().Should().Be("completed");
        done.GetProperty("lines_failed").GetInt64().Should().Be(1);
        (await api.Client.GetStringAsync($"/jobs/{id}/results?format=text", Cancellation))
            .Should()
            .Be($"FIRST\n{held.ToUpperInvariant()}\n\nLAST\n");
    }

    [Theory]
    [InlineData("pause", "The job is completed; only one that waits or runs can be paused.")]
    [InlineData("resume", "The job is completed; only a paused one can be resumed.")]
    [InlineData("retry", "No line of the job can be run again: all others have their output.")]
    public async Task What_the_jobs_state_does_not_allow_is_a_conflict(string action, string detail)
    {
        Guid id = await api.Client.SubmitAsync("a");
        await api.Client.WaitAsync(id);

        HttpResponseMessage response = await api.Client.PostAsync($"/jobs/{id}/{action}", content: null, Cancellation);

        JsonElement problem = await response.ShouldBeProblemAsync(409, "job_state_conflict");
        problem.GetProperty("detail").GetString().Should().Be(detail);
    }

    [Fact]
    public async Task A_job_that_has_not_ended_can_not_be_retried()
    {
        string held = CapitalsModel.HeldLine();
        Guid id = await api.Client.SubmitAsync(held);

        HttpResponseMessage response = await api.Client.PostAsync($"/jobs/{id}/retry", content: null, Cancellation);

        await response.ShouldBeProblemAsync(409, "job_state_conflict");
        await ActAsync(id, "cancel");
        api.Application.CapitalsModel.Release(held);
    }

    [Fact]
    public async Task The_priority_of_a_job_that_has_not_ended_can_be_changed()
    {
        Guid id = await SubmitForLaterAsync();

        HttpResponseMessage response = await api.Client.PatchAsync(
            $"/jobs/{id}",
            ApiClient.Json("""{"priority": 1}"""),
            Cancellation
        );

        response.StatusCode.Should().Be(HttpStatusCode.OK);
        (await response.ReadAsync()).GetProperty("priority").GetInt32().Should().Be(1);
        (await api.Database.ScalarAsync<short>("SELECT min(priority) FROM shard WHERE job_id = $1", id)).Should().Be(1);
        await ActAsync(id, "cancel");
        HttpResponseMessage late = await api.Client.PatchAsync(
            $"/jobs/{id}",
            ApiClient.Json("""{"priority": 2}"""),
            Cancellation
        );
        await late.ShouldBeProblemAsync(409, "job_state_conflict");
    }

    [Theory]
    [InlineData("{}", "field_missing", "priority")]
    [InlineData("""{"priority": 10}""", "field_invalid", "priority")]
    [InlineData("""{"priority": "1"}""", "field_invalid", "priority")]
    [InlineData("""{"priority": 1, "name": "x"}""", "field_unknown", "name")]
    [InlineData("[1]", "field_invalid", "body")]
    public async Task A_change_that_is_wrong_names_the_field(string body, string code, string field)
    {
        Guid id = await api.Client.SubmitAsync("a");

        HttpResponseMessage response = await api.Client.PatchAsync($"/jobs/{id}", ApiClient.Json(body), Cancellation);

        JsonElement problem = await response.ShouldBeProblemAsync(400, code);
        problem.GetProperty("field").GetString().Should().Be(field);
    }

    [Fact]
    public async Task No_line_of_a_job_is_computed_before_its_start()
    {
        Guid id = await SubmitForLaterAsync();

        // Another job overtakes it.
        await api.Client.WaitAsync(await api.Client.SubmitAsync("a"));

        JsonElement job = await api.Client.GetJsonAsync($"/jobs/{id}");
        job.GetProperty("state").GetString().Should().Be("queued");
        job.GetProperty("start_at")
            .GetDateTimeOffset()
            .Should()
            .Be(new DateTimeOffset(2199, 12, 31, 23, 0, 0, default));
        await ActAsync(id, "cancel");
    }

    [Fact]
    public async Task A_job_that_has_not_finished_by_its_deadline_fails_and_keeps_its_results()
    {
        string held = CapitalsModel.HeldLine();
        string deadline = DateTimeOffset
            .UtcNow.AddHours(1)
            .ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);
        HttpResponseMessage response = await api.Client.PostAsync(
            $"/jobs?model=capitals&deadline={deadline}",
            ApiClient.Text($"first\n{held}\n"),
            Cancellation
        );
        JsonElement submitted = await response.ReadAsync();
        Guid id = submitted.GetProperty("id").GetGuid();
        submitted
            .GetProperty("deadline")
            .GetDateTimeOffset()
            .Should()
            .BeCloseTo(DateTimeOffset.UtcNow.AddHours(1), TimeSpan.FromMinutes(1));
        await EventuallyAsync(id, job => job.GetProperty("lines_done").GetInt64() == 1);

        // The hour passes.
        await api.Database.ExecuteAsync("UPDATE job SET deadline = now() WHERE id = $1", id);

        JsonElement job = await api.Client.WaitAsync(id);
        job.GetProperty("state").GetString().Should().Be("failed");
        job.GetProperty("error").GetProperty("code").GetString().Should().Be("deadline_exceeded");
        (await api.Client.GetStringAsync($"/jobs/{id}/results?format=text", Cancellation)).Should().Be("FIRST\n");
        api.Application.CapitalsModel.Release(held);
    }

    private async Task<Guid> SubmitForLaterAsync()
    {
        HttpResponseMessage response = await api.Client.PostAsync(
            "/jobs?model=capitals&start_at=2200-01-01T00:00:00%2B01:00",
            ApiClient.Text("a\n"),
            Cancellation
        );
        response.StatusCode.Should().Be(HttpStatusCode.Accepted);
        return (await response.ReadAsync()).GetProperty("id").GetGuid();
    }

    private async Task<JsonElement> ActAsync(Guid id, string action)
    {
        HttpResponseMessage response = await api.Client.PostAsync($"/jobs/{id}/{action}", content: null, Cancellation);
        response.StatusCode.Should().Be(HttpStatusCode.OK, await response.Content.ReadAsStringAsync(Cancellation));
        return await response.ReadAsync();
    }

    private Task NothingRunsAsync(Guid id) =>
        Seq2Seq.Testing.Eventually.HoldsAsync(
            async () =>
                !(await api.Client.GetJsonAsync($"/jobs/{id}/shards"))
                    .GetProperty("shards")
                    .EnumerateArray()
                    .Any(shard => shard.GetProperty("state").GetString() is "running" or "queued"),
            TimeSpan.FromSeconds(30),
            $"no shard of {id} runs"
        );

    private Task EventuallyAsync(Guid id, Func<JsonElement, bool> condition) =>
        Seq2Seq.Testing.Eventually.HoldsAsync(
            async () => condition(await api.Client.GetJsonAsync($"/jobs/{id}")),
            TimeSpan.FromSeconds(30),
            $"job {id} is as expected"
        );
}
