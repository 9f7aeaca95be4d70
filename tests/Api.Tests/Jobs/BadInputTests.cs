using System.Net;
using System.Text;
using System.Text.Json;

namespace Seq2Seq.Api.Tests.Jobs;

/// <summary>Every mistake of a caller is a clear 4xx with the place, and the service lives on.</summary>
public sealed class BadInputTests(ApiFixture api) : IClassFixture<ApiFixture>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("""{"inputs":["a"]}""", 400, "field_missing", "model")]
    [InlineData("""{"model":"capitals"}""", 400, "field_missing", "inputs")]
    [InlineData("""{"model":5,"inputs":["a"]}""", 400, "field_invalid", "model")]
    [InlineData("""{"model":"","inputs":["a"]}""", 400, "field_invalid", "model")]
    [InlineData("""{"model":"a\u0000b","inputs":["a"]}""", 400, "field_invalid", "model")]
    [InlineData("""{"model":"nope","inputs":["a"]}""", 422, "model_unknown", "model")]
    [InlineData("""{"model":"../../etc/passwd","inputs":["a"]}""", 422, "model_unknown", "model")]
    [InlineData("""{"model":"capitals","inputs":"a"}""", 400, "field_invalid", "inputs")]
    [InlineData("""{"model":"capitals","inputs":[]}""", 400, "field_invalid", "inputs")]
    [InlineData("""{"model":"capitals","inputs":["a",5]}""", 400, "field_invalid", "inputs[1]")]
    [InlineData("""{"model":"capitals","inputs":[null]}""", 400, "field_invalid", "inputs[0]")]
    [InlineData("""{"model":"capitals","inputs":[{}]}""", 400, "field_invalid", "inputs[0]")]
    [InlineData("""{"model":"capitals","inputs":[{"text":"a","input_ids":[1]}]}""", 400, "field_invalid", "inputs[0]")]
    [InlineData("""{"model":"capitals","inputs":[{"text":7}]}""", 400, "field_invalid", "inputs[0].text")]
    [InlineData("""{"model":"capitals","inputs":[{"text":"a","id":"x"}]}""", 400, "field_unknown", "inputs[0].id")]
    [InlineData("""{"model":"capitals","inputs":[{"input_ids":"1"}]}""", 400, "field_invalid", "inputs[0].input_ids")]
    [InlineData(
        """{"model":"capitals","inputs":[{"input_ids":[1,1.5]}]}""",
        400,
        "field_invalid",
        "inputs[0].input_ids[1]"
    )]
    [InlineData(
        """{"model":"capitals","inputs":[{"input_ids":[99999999999]}]}""",
        400,
        "field_invalid",
        "inputs[0].input_ids[0]"
    )]
    [InlineData("""{"model":"capitals","inputs":["\ud800"]}""", 400, "encoding_invalid", "inputs[0]")]
    [InlineData("""{"model":"capitals","inputs":["a"],"modell":"x"}""", 400, "field_unknown", "modell")]
    [InlineData("""{"model":"capitals","inputs":["a"],"Model":"x"}""", 400, "field_unknown", "Model")]
    [InlineData("""{"model":"capitals","inputs":["a"],"priority":12}""", 400, "field_invalid", "priority")]
    [InlineData("""{"model":"capitals","inputs":["a"],"priority":"1"}""", 400, "field_invalid", "priority")]
    [InlineData("""{"model":"capitals","inputs":["a"],"priority":1.5}""", 400, "field_invalid", "priority")]
    [InlineData(
        """{"model":"capitals","inputs":["a"],"retention_seconds":1}""",
        400,
        "field_invalid",
        "retention_seconds"
    )]
    [InlineData("""{"model":"capitals","inputs":["a"],"name":["x"]}""", 400, "field_invalid", "name")]
    [InlineData("""{"model":"capitals","inputs":["a"],"name":"line\nbreak"}""", 400, "field_invalid", "name")]
    [InlineData("""{"model":"capitals","inputs":["a"],"parameters":[]}""", 400, "field_invalid", "parameters")]
    [InlineData(
        """{"model":"capitals","inputs":["a"],"parameters":{"num_beam":4}}""",
        422,
        "parameter_invalid",
        "parameters.num_beam"
    )]
    [InlineData(
        """{"model":"capitals","inputs":["a"],"parameters":{"num_beams":"4"}}""",
        422,
        "parameter_invalid",
        "parameters.num_beams"
    )]
    [InlineData(
        """{"model":"capitals","inputs":["a"],"parameters":{"tgt_lang":"xx"}}""",
        422,
        "parameter_invalid",
        "parameters.tgt_lang"
    )]
    [InlineData(
        """{"model":"capitals","inputs":["a"],"parameters":{"src_lang":"a\u0000"}}""",
        422,
        "parameter_invalid",
        "parameters.src_lang"
    )]
    [InlineData(
        """{"model":"capitals","inputs":["a"],"parameters":{"long_lines":"cut"}}""",
        422,
        "parameter_invalid",
        "parameters.long_lines"
    )]
    [InlineData(
        """{"model":"capitals","inputs":["a"],"parameters":{"long_lines":"split","num_return_sequences":2,"num_beams":2}}""",
        422,
        "parameter_invalid",
        "parameters.num_return_sequences"
    )]
    [InlineData("[]", 400, "field_invalid", "body")]
    [InlineData("null", 400, "field_invalid", "body")]
    [InlineData("""{"model":"capitals",}""", 400, "json_malformed", "body")]
    [InlineData("""{"model":"capitals" // comment""", 400, "json_malformed", "body")]
    [InlineData("""{"model":"capitals","model":"capitals","inputs":["a"]}""", 400, "json_malformed", "body")]
    [InlineData("", 400, "json_malformed", "body")]
    [InlineData("""{"model":NaN}""", 400, "json_malformed", "body")]
    public async Task A_wrong_json_body_is_refused_by_field(string body, int status, string code, string field)
    {
        foreach (string address in new[] { "/jobs", "/generate" })
        {
            HttpResponseMessage response = await api.Client.PostAsync(address, ApiClient.Json(body), Cancellation);

            JsonElement problem = await response.ShouldBeProblemAsync(status, code);
            problem.GetProperty("field").GetString().Should().Be(field);
        }
    }

    [Fact]
    public async Task What_was_found_and_expected_is_said()
    {
        HttpResponseMessage response = await api.Client.PostAsync(
            "/jobs",
            ApiClient.Json("""{"model":"capitals","inputs":["a"],"priority":12}"""),
            Cancellation
        );

        JsonElement problem = await response.ShouldBeProblemAsync(400, "field_invalid");
        problem.GetProperty("found").GetString().Should().Be("12");
        problem.GetProperty("expected").GetString().Should().Be("an integer from 0 to 9");
    }

    [Fact]
    public async Task A_language_that_the_model_does_not_know_is_named_beside_those_it_knows()
    {
        HttpResponseMessage response = await api.Client.PostAsync(
            "/jobs",
            ApiClient.Json("""{"model":"capitals","inputs":["a"],"parameters":{"tgt_lang":"xx"}}"""),
            Cancellation
        );

        JsonElement problem = await response.ShouldBeProblemAsync(422, "parameter_invalid");
        problem.GetProperty("found").GetString().Should().Be("xx");
        problem.GetProperty("expected").GetString().Should().Contain("deu, fra");
    }

    [Fact]
    public async Task Deep_json_is_refused()
    {
        string deep = new string('[', 100_000) + new string(']', 100_000);

        HttpResponseMessage response = await api.Client.PostAsync(
            "/jobs",
            ApiClient.Json($$"""{"model":"capitals","inputs":{{deep}}}"""),
            Cancellation
        );

        await response.ShouldBeProblemAsync(400, "json_malformed");
    }

    [Fact]
    public async Task Json_that_is_too_large_is_refused_before_it_is_read()
    {
        byte[] body = new byte[33 * 1024 * 1024];
        body.AsSpan().Fill((byte)' ');
        using var request = new HttpRequestMessage(HttpMethod.Post, "/jobs")
        {
            Content = ApiClient.Raw(body, "application/json"),
        };
        // The server answers before it has read the body, so the client must wait for leave to send.
        request.Headers.ExpectContinue = true;

        HttpResponseMessage response = await api.Client.SendAsync(request, Cancellation);

        await response.ShouldBeProblemAsync(413, "body_too_large");
    }

    [Theory]
    [InlineData("application/xml", "<a/>")]
    [InlineData("application/x-www-form-urlencoded", "model=capitals")]
    [InlineData("text/plain; charset=iso-8859-1", "a")]
    [InlineData("text/csv", "a")]
    public async Task A_media_type_that_nobody_reads_is_415(string mediaType, string body)
    {
        HttpResponseMessage response = await api.Client.PostAsync(
            "/jobs?model=capitals",
            ApiClient.Raw(Encoding.UTF8.GetBytes(body), mediaType),
            Cancellation
        );

        JsonElement problem = await response.ShouldBeProblemAsync(415, "media_type_unsupported");
        problem.GetProperty("found").GetString().Should().Be(mediaType);
    }

    [Fact]
    public async Task A_body_without_a_media_type_or_with_an_encoding_is_415()
    {
        HttpResponseMessage untyped = await api.Client.PostAsync(
            "/jobs?model=capitals",
            new ByteArrayContent("a"u8.ToArray()),
            Cancellation
        );
        await untyped.ShouldBeProblemAsync(415, "media_type_unsupported");

        StringContent packed = ApiClient.Text("a");
        packed.Headers.ContentEncoding.Add("br");
        HttpResponseMessage response = await api.Client.PostAsync("/jobs?model=capitals", packed, Cancellation);
        JsonElement problem = await response.ShouldBeProblemAsync(415, "media_type_unsupported");
        problem.GetProperty("field").GetString().Should().Be("Content-Encoding");
    }

    [Theory]
    [InlineData("multipart/form-data", "", "multipart_malformed")]
    [InlineData("multipart/form-data; boundary=x", "", "multipart_malformed")]
    [InlineData("multipart/form-data; boundary=x", "--x\r\n\r\nno name\r\n--x--", "multipart_malformed")]
    [InlineData(
        "multipart/form-data; boundary=x",
        "--x\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\ncapi",
        "multipart_malformed"
    )]
    [InlineData(
        "multipart/form-data; boundary=x",
        "--x\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\ncapitals\r\n--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\ncut",
        "multipart_malformed"
    )]
    [InlineData(
        "multipart/form-data; boundary=x",
        "--x\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\ncapitals\r\n--x--\r\n",
        "field_missing"
    )]
    [InlineData(
        "multipart/form-data; boundary=x",
        "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\na\r\n--x--\r\n",
        "field_missing"
    )]
    [InlineData(
        "multipart/form-data; boundary=x",
        "--x\r\nContent-Disposition: form-data; name=\"colour\"\r\n\r\nred\r\n--x\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\ncapitals\r\n--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\na\r\n--x--\r\n",
        "field_unknown"
    )]
    [InlineData(
        "multipart/form-data; boundary=x",
        "--x\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\na\r\n--x\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nb\r\n--x--\r\n",
        "field_invalid"
    )]
    public async Task A_broken_form_is_refused(string mediaType, string body, string code)
    {
        HttpResponseMessage response = await api.Client.PostAsync(
            "/jobs",
            ApiClient.Raw(Encoding.UTF8.GetBytes(body), mediaType),
            Cancellation
        );

        await response.ShouldBeProblemAsync(400, code);
        (await api.Database.ScalarAsync<long>("SELECT count(*) FROM job WHERE state = 'receiving'")).Should().Be(0);
    }

    [Fact]
    public async Task A_form_field_that_is_not_utf8_is_refused()
    {
        byte[] body =
        [
            .. "--x\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n"u8,
            0xc3,
            0x28,
            .. "\r\n--x--\r\n"u8,
        ];

        HttpResponseMessage response = await api.Client.PostAsync(
            "/jobs",
            ApiClient.Raw(body, "multipart/form-data; boundary=x"),
            Cancellation
        );

        await response.ShouldBeProblemAsync(400, "encoding_invalid");
    }

    [Theory]
    [InlineData("/jobs?model=capitals&prioritty=1", "field_unknown", "prioritty")]
    [InlineData("/jobs?model=capitals&priority=x", "field_invalid", "priority")]
    [InlineData("/jobs?model=capitals&priority=", "field_invalid", "priority")]
    [InlineData("/jobs?model=capitals&parameters={", "json_malformed", "parameters")]
    [InlineData("/jobs?model=capitals&parameters=[]", "field_invalid", "parameters")]
    [InlineData("/jobs?model=capitals&format=docx", "field_invalid", "format")]
    [InlineData("/jobs?name=x", "field_missing", "model")]
    [InlineData("/jobs?model=capitals&model=b", "field_invalid", "model")]
    public async Task A_wrong_query_beside_a_raw_body_is_refused(string address, string code, string field)
    {
        HttpResponseMessage response = await api.Client.PostAsync(address, ApiClient.Text("a"), Cancellation);

        JsonElement problem = await response.ShouldBeProblemAsync(400, code);
        problem.GetProperty("field").GetString().Should().Be(field);
    }

    [Fact]
    public async Task A_query_beside_a_body_with_fields_is_refused()
    {
        HttpResponseMessage response = await api.Client.PostAsync(
            "/jobs?priority=1",
            ApiClient.Json("""{"model":"capitals","inputs":["a"]}"""),
            Cancellation
        );

        await response.ShouldBeProblemAsync(400, "field_unknown");
    }

    [Fact]
    public async Task A_file_without_lines_is_refused()
    {
        HttpResponseMessage response = await api.Client.PostAsync(
            "/jobs?model=capitals",
            ApiClient.Text(""),
            Cancellation
        );

        await response.ShouldBeProblemAsync(422, "input_empty");
    }

    [Theory]
    [InlineData("white space inside")]
    [InlineData("")]
    public async Task A_wrong_idempotency_key_is_refused(string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/jobs?model=capitals")
        {
            Content = ApiClient.Text("a"),
        };
        request.Headers.TryAddWithoutValidation("Idempotency-Key", key);

        HttpResponseMessage response = await api.Client.SendAsync(request, Cancellation);

        JsonElement problem = await response.ShouldBeProblemAsync(400, "field_invalid");
        problem.GetProperty("field").GetString().Should().Be("Idempotency-Key");
    }

    [Theory]
    [InlineData("GET", "/jobs?limit=0", 400, "field_invalid")]
    [InlineData("GET", "/jobs?limit=201", 400, "field_invalid")]
    [InlineData("GET", "/jobs?limit=1e3", 400, "field_invalid")]
    [InlineData("GET", "/jobs?state=done", 400, "field_invalid")]
    [InlineData("GET", "/jobs?state=Running", 400, "field_invalid")]
    [InlineData("GET", "/jobs?after=x", 400, "field_invalid")]
    [InlineData("GET", "/jobs?search=%00", 400, "field_invalid")]
    [InlineData("GET", "/jobs?search=", 400, "field_invalid")]
    [InlineData("GET", "/jobs?page=2", 400, "field_unknown")]
    [InlineData("GET", "/jobs?limit=1&limit=2", 400, "field_invalid")]
    [InlineData("GET", "/jobs/1", 404, "job_not_found")]
    [InlineData("GET", "/jobs/00000000-0000-0000-0000-000000000000", 404, "job_not_found")]
    [InlineData("GET", "/jobs/{job}?wait_seconds=61", 400, "field_invalid")]
    [InlineData("GET", "/jobs/%7B00000000-0000-0000-0000-000000000000%7D", 404, "job_not_found")]
    [InlineData("GET", "/jobs/..%2f..%2fetc%2fpasswd", 404, "job_not_found")]
    [InlineData("GET", "/jobs/%ff%fe/results", 404, "job_not_found")]
    [InlineData("GET", "/jobs/'%20OR%201=1--/shards", 404, "job_not_found")]
    [InlineData("GET", "/jobs/00000000-0000-0000-0000-000000000000/results", 404, "job_not_found")]
    [InlineData("GET", "/jobs/{job}/results?format=xml", 406, "format_unknown")]
    [InlineData("GET", "/jobs/{job}/results?from=-1", 400, "field_invalid")]
    [InlineData("GET", "/jobs/{job}/results?from=99999999999999999999", 400, "field_invalid")]
    [InlineData("GET", "/jobs/00000000-0000-0000-0000-000000000000/shards", 404, "job_not_found")]
    [InlineData("GET", "/jobs/{job}/shards?limit=1001", 400, "field_invalid")]
    [InlineData("GET", "/jobs/00000000-0000-0000-0000-000000000000/events", 404, "job_not_found")]
    [InlineData("POST", "/jobs/00000000-0000-0000-0000-000000000000/cancel", 404, "job_not_found")]
    [InlineData("POST", "/jobs/{job}/cancel?now=1", 400, "field_unknown")]
    [InlineData("GET", "/models/nope", 404, "model_not_found")]
    [InlineData("GET", "/models/..%2f..%2fetc%2fpasswd", 404, "model_not_found")]
    [InlineData("GET", "/models?x=1", 400, "field_unknown")]
    [InlineData("GET", "/devices?x=1", 400, "field_unknown")]
    [InlineData("GET", "/problems/nope", 404, "not_found")]
    [InlineData("GET", "/nothing/here", 404, "not_found")]
    [InlineData("GET", "/dashboard/assets/../../appsettings.json", 404, "not_found")]
    [InlineData("DELETE", "/jobs", 405, "method_not_allowed")]
    [InlineData("PUT", "/jobs/00000000-0000-0000-0000-000000000000", 405, "method_not_allowed")]
    [InlineData("GET", "/generate", 405, "method_not_allowed")]
    [InlineData("POST", "/models", 405, "method_not_allowed")]
    public async Task A_wrong_address_or_parameter_is_a_problem(string method, string address, int status, string code)
    {
        Guid job = await api.Client.SubmitAsync("a");
        string of = address.Replace("{job}", job.ToString(), StringComparison.Ordinal);
        using var request = new HttpRequestMessage(new HttpMethod(method), RawAddress(of));

        HttpResponseMessage response = await api.Client.SendAsync(request, Cancellation);

        await response.ShouldBeProblemAsync(status, code);
    }

    [Fact]
    public async Task Method_not_allowed_lists_the_methods()
    {
        HttpResponseMessage response = await api.Client.DeleteAsync("/jobs", Cancellation);

        JsonElement problem = await response.ShouldBeProblemAsync(405, "method_not_allowed");
        problem.GetProperty("found").GetString().Should().Be("DELETE");
        problem.GetProperty("expected").GetString().Should().Contain("GET").And.Contain("POST");
        response.Content.Headers.Allow.Should().Contain(["GET", "POST"]);
    }

    [Fact]
    public async Task Customers_text_is_not_in_the_log()
    {
        const string Secret = "wJ4-secret-text";
        await api.Client.PostAsync($"/jobs?model=capitals&name={Secret}", ApiClient.Text($"{Secret}\n"), Cancellation);
        await api.Client.PostAsync(
            "/jobs",
            ApiClient.Json($$"""{"model":"capitals","inputs":[{"text":"{{Secret}}","x":1}]}"""),
            Cancellation
        );
        await api.Client.PostAsync("/jobs", ApiClient.Json($$"""{"{{Secret}}"""), Cancellation);
        await api.Client.GetAsync($"/jobs?search={Secret}", Cancellation);
        await api.Client.GetAsync($"/jobs/{Secret}", Cancellation);
        await api.Client.GetAsync($"/dashboard/jobs?search={Secret}", Cancellation);

        (await api.Client.GetAsync("/livez", Cancellation)).StatusCode.Should().Be(HttpStatusCode.OK);
        api.Application.Log.All.Should().NotBeEmpty();
        api.Application.Log.All.Where(line => line.Contains(Secret, StringComparison.Ordinal)).Should().BeEmpty();
    }

    // As it stands, without the client's tidying up.
    private Uri RawAddress(string address) =>
        new(
            $"{api.Application.Address.GetLeftPart(UriPartial.Authority)}{address}",
            new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }
        );
}
