using System.Net;
using System.Text.Json;
using Seq2Seq.Testing;

namespace Seq2Seq.Api.Tests.Generate;

public sealed class GenerateEndpointTests(ApiFixture api) : IClassFixture<ApiFixture>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Outputs_come_back_in_order_with_ids_and_errors()
    {
        HttpResponseMessage response = await PostAsync(
            """{"model":"capitals","inputs":["a","",{"custom_id":"c","text":"c"}],"parameters":{"num_beams":2}}"""
        );

        response.StatusCode.Should().Be(HttpStatusCode.OK);
        JsonElement answer = await response.ReadAsync();
        answer.GetProperty("model").GetString().Should().Be("capitals");
        answer.GetProperty("served_by")[0].GetString().Should().Be("capitals");
        JsonElement[] results = [.. answer.GetProperty("results").EnumerateArray()];
        results.Should().HaveCount(3);
        results[0].GetProperty("outputs")[0].GetProperty("text").GetString().Should().Be("A");
        results[1].GetProperty("error").GetProperty("code").GetString().Should().Be("line_empty");
        results[2].GetProperty("custom_id").GetString().Should().Be("c");
        JsonElement job = await api.Client.GetJsonAsync($"/jobs/{answer.GetProperty("job").GetGuid()}");
        job.GetProperty("priority").GetInt32().Should().Be(0);
    }

    [Fact]
    public async Task An_output_without_a_score_has_null_for_it()
    {
        HttpResponseMessage response = await PostAsync(
            """{"model":"capitals","inputs":["a"],"parameters":{"return_scores":false}}"""
        );

        response.StatusCode.Should().Be(HttpStatusCode.OK);
        JsonElement output = (await response.ReadAsync()).GetProperty("results")[0].GetProperty("outputs")[0];
        output.GetProperty("text").GetString().Should().Be("A");
        output.GetProperty("score").ValueKind.Should().Be(JsonValueKind.Null);
    }

    [Fact]
    public async Task The_result_of_an_input_that_was_cut_says_so_and_no_other_does()
    {
        HttpResponseMessage response = await PostAsync(
            """{"model":"capitals","inputs":["abcde","ab"],"parameters":{"long_lines":"truncate","max_source_length":3}}"""
        );

        response.StatusCode.Should().Be(HttpStatusCode.OK);
        JsonElement results = (await response.ReadAsync()).GetProperty("results");
        results[0].GetProperty("outputs")[0].GetProperty("text").GetString().Should().Be("ABC");
        results[0].GetProperty("truncated").GetBoolean().Should().BeTrue();
        results[0].GetProperty("source_tokens").GetInt32().Should().Be(5);
        results[0].GetProperty("kept_tokens").GetInt32().Should().Be(3);
        results[1].EnumerateObject().Select(field => field.Name).Should().Equal("custom_id", "outputs", "error");
    }

    [Fact]
    public async Task Repeating_a_request_with_its_idempotency_key_answers_from_the_first_job()
    {
        HttpResponseMessage first = await AskAsync();
        HttpResponseMessage again = await AskAsync();

        again.StatusCode.Should().Be(HttpStatusCode.OK);
        again.Headers.GetValues("Idempotent-Replayed").Should().Equal("true");
        first.Headers.Contains("Idempotent-Replayed").Should().BeFalse();
        (await again.ReadAsync())
            .GetProperty("job")
            .GetGuid()
            .Should()
            .Be((await first.ReadAsync()).GetProperty("job").GetGuid());

        async Task<HttpResponseMessage> AskAsync()
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/generate")
            {
                Content = ApiClient.Json("""{"model":"capitals","inputs":["once"]}"""),
            };
            request.Headers.Add("Idempotency-Key", "generate-once");
            return await api.Client.SendAsync(request, Cancellation);
        }
    }

    [Fact]
    public async Task More_texts_than_a_few_are_refused()
    {
        string inputs = string.Join(',', Enumerable.Repeat("\"a\"", 65));

        HttpResponseMessage response = await PostAsync($$"""{"model":"capitals","inputs":[{{inputs}}]}""");

        JsonElement problem = await response.ShouldBeProblemAsync(400, "field_invalid");
        problem.GetProperty("field").GetString().Should().Be("inputs");
        problem.GetProperty("expected").GetString().Should().Be("1 to 64 inputs");
    }

    [Fact]
    public async Task When_the_time_is_up_the_job_goes_on_and_is_named()
    {
        string held = CapitalsModel.HeldLine();

        HttpResponseMessage response = await PostAsync(
            $$"""{"model":"capitals","inputs":["{{held}}"],"timeout_seconds":1}"""
        );

        JsonElement problem = await response.ShouldBeProblemAsync(504, "generate_timeout");
        string location = response.Headers.Location!.ToString();
        problem.GetProperty("job").GetString().Should().Be(location);
        api.Application.CapitalsModel.Release(held);
        JsonElement job = await api.Client.GetJsonAsync($"{location}?wait_seconds=30");
        job.GetProperty("state").GetString().Should().Be("completed");
    }

    [Fact]
    public async Task A_caller_that_hangs_up_takes_the_job_along()
    {
        string held = CapitalsModel.HeldLine();
        using var hangUp = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        Task<HttpResponseMessage> generating = api.Client.PostAsync(
            "/generate",
            ApiClient.Json($$"""{"model":"capitals","inputs":["{{held}}"],"name":"hung-up"}"""),
            hangUp.Token
        );
        await Eventually.HoldsAsync(
            async () => await api.Database.ScalarAsync<long>("SELECT count(*) FROM job WHERE name = 'hung-up'") == 1,
            TimeSpan.FromSeconds(10),
            "the job is there"
        );

        await hangUp.CancelAsync();

        await ((Func<Task>)(() => generating)).Should().ThrowAsync<OperationCanceledException>();
        await Eventually.HoldsAsync(
            async () =>
                await api.Database.ScalarAsync<string>("SELECT state FROM job WHERE name = 'hung-up'") == "cancelled",
            TimeSpan.FromSeconds(10),
            "the job is cancelled"
        );
        api.Application.CapitalsModel.Release(held);
    }

    private Task<HttpResponseMessage> PostAsync(string body) =>
        api.Client.PostAsync("/generate", ApiClient.Json(body), Cancellation);
}
