using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Seq2Seq.Api.Tests.Jobs;

public sealed class SubmitJobTests(ApiFixture api) : IClassFixture<ApiFixture>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_json_job_is_accepted_with_its_location_and_runs()
    {
        HttpResponseMessage response = await api.Client.PostAsync(
            "/jobs",
            ApiClient.Json(
                """
                {
                  "model": "capitals",
                  "name": "three kinds",
                  "priority": 2,
                  "retention_seconds": 3600,
                  "inputs": ["plain", {"custom_id": "b", "text": "grüße"}, {"custom_id": "c", "input_ids": [3, 4, 1]}],
                  "parameters": {"num_beams": 4, "max_new_tokens": 8}
                }
                """
            ),
            Cancellation
        );

        response.StatusCode.Should().Be(HttpStatusCode.Accepted);
        JsonElement job = await response.ReadAsync();
        Guid id = job.GetProperty("id").GetGuid();
        response.Headers.Location!.ToString().Should().Be($"/jobs/{id}");
        job.GetProperty("name").GetString().Should().Be("three kinds");
        job.GetProperty("priority").GetInt32().Should().Be(2);
        job.GetProperty("lines").GetInt64().Should().Be(3);
        job.GetProperty("parameters").GetProperty("num_beams").GetInt32().Should().Be(4);
        job.GetProperty("links").GetProperty("results").GetString().Should().Be($"/jobs/{id}/results");

        JsonElement done = await api.Client.WaitAsync(id);
        done.GetProperty("state").GetString().Should().Be("completed");
        (await ResultsAsync(id)).Should().Be("PLAIN\nGRÜSSE\n8\n".Replace("GRÜSSE", "GRÜßE", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("text/plain", "words.txt", "one\ntwo\n")]
    [InlineData("text/plain; charset=utf-8", "words", "one\ntwo")]
    [InlineData(
        "application/octet-stream",
        "words.JSONL",
        "{\"text\":\"one\"}\n{\"custom_id\":\"x\",\"text\":\"two\"}\n"
    )]
    [InlineData("text/plain", "words.jsonl", "{\"text\":\"one\"}\n{\"text\":\"two\"}\n")]
    [InlineData("application/jsonl", "words", "{\"text\":\"one\"}\n{\"text\":\"two\"}\n")]
    public async Task A_form_gives_the_format_by_name_or_media_type(string mediaType, string fileName, string file)
    {
        using var form = new MultipartFormDataContent { { new StringContent("capitals"), "model" } };
        form.Add(ApiClient.Raw(Encoding.UTF8.GetBytes(file), mediaType), "file", fileName);

        Guid id = await SubmitAsync("/jobs", form);

        await api.Client.WaitAsync(id);
        (await ResultsAsync(id)).Should().Be("ONE\nTWO\n");
    }

    [Fact]
    public async Task A_form_takes_every_field()
    {
        using var form = new MultipartFormDataContent
        {
            { new StringContent("capitals"), "model" },
            { new StringContent("Überschrift"), "name" },
            { new StringContent("0"), "priority" },
            { new StringContent("{\"num_beams\":2}"), "parameters" },
            { new StringContent("7200"), "retention_seconds" },
            { new StringContent("text"), "format" },
        };
        form.Add(new ByteArrayContent("{\"a\n"u8.ToArray()), "file", "words.jsonl");

        Guid id = await SubmitAsync("/jobs", form);

        JsonElement job = await api.Client.WaitAsync(id);
        job.GetProperty("name").GetString().Should().Be("Überschrift");
        job.GetProperty("priority").GetInt32().Should().Be(0);
        job.GetProperty("parameters").GetRawText().Should().Be("{\"num_beams\":2}");
        (await ResultsAsync(id)).Should().Be("{\"A\n");
        TimeSpan kept =
            job.GetProperty("expires_at").GetDateTimeOffset() - job.GetProperty("finished_at").GetDateTimeOffset();
        kept.Should().BeCloseTo(TimeSpan.FromHours(2), TimeSpan.FromSeconds(1));
    }

    [Theory]
    [InlineData("text/plain", "", "one\ntwo\n")]
    [InlineData("application/x-ndjson", "", "{\"text\":\"one\"}\n{\"text\":\"two\"}\n")]
    [InlineData("application/octet-stream", "&format=jsonl", "{\"text\":\"one\"}\n{\"text\":\"two\"}\n")]
    public async Task A_raw_body_takes_its_fields_from_the_query(string mediaType, string query, string body)
    {
        Guid id = await SubmitAsync(
            $"/jobs?model=capitals&name=raw&priority=1&parameters=%7B%22num_beams%22%3A3%7D{query}",
            ApiClient.Raw(Encoding.UTF8.GetBytes(body), mediaType)
        );

        JsonElement job = await api.Client.WaitAsync(id);
        job.GetProperty("name").GetString().Should().Be("raw");
        job.GetProperty("priority").GetInt32().Should().Be(1);
        job.GetProperty("parameters").GetProperty("num_beams").GetInt32().Should().Be(3);
        (await ResultsAsync(id)).Should().Be("ONE\nTWO\n");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_packed_file_is_unpacked(bool asForm)
    {
        using var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionMode.Compress, leaveOpen: true))
        {
            await gzip.WriteAsync("{\"text\":\"one\"}\n"u8.ToArray(), Cancellation);
        }

        ByteArrayContent file = ApiClient.Raw(packed.ToArray(), "application/jsonl");
        using var form = new MultipartFormDataContent { { new StringContent("capitals"), "model" } };
        if (asForm)
        {
            file.Headers.ContentType = new MediaTypeHeaderValue("application/gzip");
            form.Add(file, "file", "words.jsonl.gz");
        }
        else
        {
            file.Headers.ContentEncoding.Add("gzip");
        }

        Guid id = await SubmitAsync(asForm ? "/jobs" : "/jobs?model=capitals", asForm ? form : file);

        await api.Client.WaitAsync(id);
        (await ResultsAsync(id)).Should().Be("ONE\n");
    }

    [Fact]
    public async Task Lines_of_a_file_that_cant_be_read_fail_alone()
    {
        byte[] file = [.. "good\n"u8, 0xff, 0xfe, (byte)'\n', .. "also good\n"u8];

        Guid id = await SubmitAsync("/jobs?model=capitals", ApiClient.Raw(file, "text/plain"));

        JsonElement job = await api.Client.WaitAsync(id);
        job.GetProperty("lines_failed").GetInt64().Should().Be(1);
        (await ResultsAsync(id)).Should().Be("GOOD\n\nALSO GOOD\n");
    }

    [Fact]
    public async Task The_same_idempotency_key_gives_the_same_job()
    {
        HttpResponseMessage first = await PostWithKeyAsync("once", "hello\n");
        HttpResponseMessage again = await PostWithKeyAsync("\"once\"", "hello\n");

        again.StatusCode.Should().Be(HttpStatusCode.Accepted);
        again.Headers.GetValues("Idempotent-Replayed").Should().Equal("true");
        first.Headers.Contains("Idempotent-Replayed").Should().BeFalse();
        again.Headers.Location.Should().Be(first.Headers.Location);

        HttpResponseMessage other = await PostWithKeyAsync("once", "something else\n");
        JsonElement problem = await other.ShouldBeProblemAsync(422, "idempotency_key_reused");
        problem.GetProperty("field").GetString().Should().Be("idempotency_key");
    }

    [Fact]
    public async Task While_the_first_request_is_still_sending_its_key_is_in_flight()
    {
        var release = new TaskCompletionSource();
        using var content = new SlowLines(release.Task);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/jobs?model=capitals") { Content = content };
        request.Headers.Add("Idempotency-Key", "in-flight");
        Task<HttpResponseMessage> first = api.Client.SendAsync(request, Cancellation);
        await Seq2Seq.Testing.Eventually.HoldsAsync(
            async () => await api.Database.ScalarAsync<long>("SELECT count(*) FROM job WHERE state = 'receiving'") == 1,
            TimeSpan.FromSeconds(30),
            "the job is receiving"
        );

        await (await PostWithKeyAsync("in-flight", "hello\n")).ShouldBeProblemAsync(409, "idempotency_key_in_flight");

        release.SetResult();
        HttpResponseMessage accepted = await first;
        accepted.StatusCode.Should().Be(HttpStatusCode.Accepted);
        Guid id = (await accepted.ReadAsync()).GetProperty("id").GetGuid();
        await api.Client.PostAsync($"/jobs/{id}/cancel", content: null, Cancellation);
        await (await PostWithKeyAsync("in-flight", "hello\n")).ShouldBeProblemAsync(422, "idempotency_key_reused");
    }

    [Fact]
    public async Task A_field_after_the_file_is_refused_and_nothing_is_stored()
    {
        using var form = new MultipartFormDataContent { { new StringContent("capitals"), "model" } };
        form.Add(new StringContent("late"), "file", "late.txt");
        form.Add(new StringContent("late-field"), "name");

        HttpResponseMessage response = await api.Client.PostAsync("/jobs", form, Cancellation);

        JsonElement problem = await response.ShouldBeProblemAsync(400, "field_after_file");
        problem.GetProperty("field").GetString().Should().Be("name");
        (await api.Client.GetJsonAsync("/jobs?search=late-field")).GetProperty("jobs").GetArrayLength().Should().Be(0);
        (await api.Database.ScalarAsync<long>("SELECT count(*) FROM job WHERE state = 'receiving'")).Should().Be(0);
    }

    [Fact]
    public async Task A_caller_that_breaks_off_leaves_nothing()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        using var content = new EndlessLines(stop);

        Func<Task> submit = () => api.Client.PostAsync("/jobs?model=capitals&name=broken-off", content, stop.Token);

        await submit.Should().ThrowAsync<OperationCanceledException>();
        await Seq2Seq.Testing.Eventually.HoldsAsync(
            async () => await api.Database.ScalarAsync<long>("SELECT count(*) FROM job WHERE name = 'broken-off'") == 0,
            TimeSpan.FromSeconds(10),
            "the job that broke off is gone"
        );
    }

    private async Task<Guid> SubmitAsync(string address, HttpContent content)
    {
        HttpResponseMessage response = await api.Client.PostAsync(address, content, Cancellation);
        response
            .StatusCode.Should()
            .Be(HttpStatusCode.Accepted, await response.Content.ReadAsStringAsync(Cancellation));
        return (await response.ReadAsync()).GetProperty("id").GetGuid();
    }

    private Task<string> ResultsAsync(Guid id) =>
        api.Client.GetStringAsync($"/jobs/{id}/results?format=text", Cancellation);

    private async Task<HttpResponseMessage> PostWithKeyAsync(string key, string lines)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/jobs?model=capitals")
        {
            Content = ApiClient.Text(lines),
        };
        request.Headers.Add("Idempotency-Key", key);
        return await api.Client.SendAsync(request, Cancellation);
    }

    /// <summary>Sends more than one batch of lines, and the last one when it is told to.</summary>
    private sealed class SlowLines : HttpContent
    {
        private const int Bytes = 6 * 1024 * 1024;
        private readonly Task _release;

        public SlowLines(Task release)
        {
            _release = release;
            Headers.ContentType = new MediaTypeHeaderValue("text/plain");
        }

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            byte[] block = Encoding.UTF8.GetBytes(new string('x', 1000 * 1000) + "\n");
            for (int sent = 0; sent < Bytes; sent += block.Length)
            {
                await stream.WriteAsync(block);
            }

            await stream.FlushAsync();
            await _release;
            await stream.WriteAsync("last\n"u8.ToArray());
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }

    /// <summary>Sends lines until more than one batch has gone, then breaks off.</summary>
    private sealed class EndlessLines : HttpContent
    {
        private const int BreakOffBytes = 12 * 1024 * 1024;
        private readonly CancellationTokenSource _stop;

        public EndlessLines(CancellationTokenSource stop)
        {
            _stop = stop;
            Headers.ContentType = new MediaTypeHeaderValue("text/plain");
        }

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            byte[] block = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("a line of the input\n", 1000)));
            for (int sent = 0; sent < BreakOffBytes; sent += block.Length)
            {
                await stream.WriteAsync(block);
            }

            await stream.FlushAsync();
            await _stop.CancelAsync();
            await Task.Delay(Timeout.Infinite, _stop.Token);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
