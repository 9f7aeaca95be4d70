using System.Net;
using System.Text.Json;
using Seq2Seq.Api.Authentication;
using Seq2Seq.Testing;

namespace Seq2Seq.Api.Tests.Authentication;

/// <summary>Who gets in: with and without keys configured, by header, by session, from pages of other sites.</summary>
public sealed class AccessTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private const string Key = "k-0123456789abcdef";
    private const string OtherKey = "k-fedcba9876543210";

    private readonly List<ApiApplication> _started = [];

    public static TheoryData<string> ClosedAddresses =>
        [
            "/jobs",
            "/models",
            "/devices",
            "/openapi/v1.json",
            "/dashboard",
            "/dashboard/jobs",
            "/hangfire",
            "/hangfire/jobs/enqueued",
            "/scalar/",
            "/",
            "/nothing",
        ];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        foreach (ApiApplication application in _started)
        {
            await application.DisposeAsync();
        }
    }

    [Theory]
    [MemberData(nameof(ClosedAddresses))]
    public async Task With_keys_everything_but_health_needs_one(string address)
    {
        ApiApplication api = await StartWithKeysAsync();

        HttpResponseMessage stranger = await GetAsync(api, address);
        await stranger.ShouldBeProblemAsync(401, "key_missing");
        stranger.Headers.WwwAuthenticate.ToString().Should().Be("Bearer realm=\"seq2seq\"");

        HttpResponseMessage wrong = await GetAsync(api, address, ("X-Api-Key", $"{Key}x"));
        await wrong.ShouldBeProblemAsync(401, "key_invalid");

        int bearer = (int)(await GetAsync(api, address, ("Authorization", $"Bearer {Key}"))).StatusCode;
        int header = (int)(await GetAsync(api, address, ("X-Api-Key", OtherKey))).StatusCode;
        bearer.Should().BeOneOf(address == "/nothing" ? [404] : [200, 302]);
        header.Should().Be(bearer);
    }

    [Theory]
    [InlineData("POST", "/jobs")]
    [InlineData("POST", "/generate")]
    [InlineData("POST", "/jobs/00000000-0000-0000-0000-000000000000/cancel")]
    [InlineData("POST", "/dashboard/jobs/00000000-0000-0000-0000-000000000000/cancel")]
    [InlineData("POST", "/hangfire/jobs/enqueued/delete")]
    [InlineData("GET", "/jobs/00000000-0000-0000-0000-000000000000/results")]
    public async Task With_keys_no_action_is_open_to_strangers(string method, string address)
    {
        ApiApplication api = await StartWithKeysAsync();
        using var request = new HttpRequestMessage(new HttpMethod(method), address);

        await (await api.Client.SendAsync(request, Cancellation)).ShouldBeProblemAsync(401, "key_missing");
    }

    [Theory]
    [InlineData("Authorization", "Bearer")]
    [InlineData("Authorization", "Bearer ")]
    [InlineData("Authorization", "Basic a2V5Og==")]
    [InlineData("X-Api-Key", "")]
    [InlineData("X-Api-Key", "K-0123456789ABCDEF")]
    [InlineData("X-Api-Key", "k-0123456789abcde")]
    public async Task What_is_not_exactly_a_key_opens_nothing(string header, string value)
    {
        ApiApplication api = await StartWithKeysAsync();

        (await GetAsync(api, "/jobs", (header, value))).StatusCode.Should().Be(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Health_is_open_but_tells_strangers_only_the_status()
    {
        ApiApplication api = await StartWithKeysAsync();

        (await GetAsync(api, "/livez")).StatusCode.Should().Be(HttpStatusCode.OK);
        JsonElement stranger = await (await GetAsync(api, "/readyz")).ReadAsync();
        stranger.TryGetProperty("models", out _).Should().BeFalse();
        JsonElement friend = await (await GetAsync(api, "/readyz", ("X-Api-Key", Key))).ReadAsync();
        friend.TryGetProperty("models", out _).Should().BeTrue();
    }

    [Fact]
    public async Task Browsers_sign_in_with_a_key_and_out_again()
    {
        ApiApplication api = await StartWithKeysAsync();
        HttpResponseMessage page = await GetAsync(api, "/dashboard/jobs?search=x", ("Accept", "text/html"));
        page.StatusCode.Should().Be(HttpStatusCode.Redirect);
        string login = page.Headers.Location!.ToString();
        login.Should().Be("/login?return=%2Fdashboard%2Fjobs%3Fsearch%3Dx");
        (await api.Client.GetStringAsync(login, Cancellation)).Should().Contain("value=\"/dashboard/jobs?search=x\"");

        HttpResponseMessage refused = await SignInAsync(api, "wrong-wrong-wrong-1", "/dashboard");
        refused.StatusCode.Should().Be(HttpStatusCode.Unauthorized);
        refused.Headers.Contains("Set-Cookie").Should().BeFalse();

        HttpResponseMessage signedIn = await SignInAsync(api, Key, "/dashboard/jobs?search=x");
        signedIn.StatusCode.Should().Be(HttpStatusCode.Redirect);
        signedIn.Headers.Location!.ToString().Should().Be("/dashboard/jobs?search=x");
        string cookie = signedIn.Headers.GetValues("Set-Cookie").Single();
        cookie.Should().Contain("httponly").And.Contain("samesite=lax");
        string session = cookie.Split(';')[0];
        foreach (string address in new[] { "/dashboard", "/hangfire", "/jobs", "/scalar/" })
        {
            (await GetAsync(api, address, ("Cookie", session))).StatusCode.Should().Be(HttpStatusCode.OK, address);
        }

        HttpResponseMessage signedOut = await PostAsync(
            api,
            "/logout",
            ("Cookie", session),
            ("Sec-Fetch-Site", "same-origin")
        );
        signedOut.Headers.GetValues("Set-Cookie").Single().Should().StartWith("seq2seq-session=;");
    }

    [Theory]
    [InlineData("//evil.example")]
    [InlineData("/\\evil.example")]
    [InlineData("https://evil.example/")]
    [InlineData("javascript:alert(1)")]
    [InlineData("")]
    public async Task Signing_in_leads_nowhere_else(string target)
    {
        ApiApplication api = await StartWithKeysAsync();

        HttpResponseMessage signedIn = await SignInAsync(api, Key, target);

        signedIn.Headers.Location!.ToString().Should().Be("/dashboard");
    }

    [Fact]
    public async Task A_session_ends_when_its_key_is_another()
    {
        ApiApplication before = await StartAsync(("Access:Keys:ops", Key));
        string session = (await SignInAsync(before, Key, "/dashboard"))
            .Headers.GetValues("Set-Cookie")
            .Single()
            .Split(';')[0];
        (await GetAsync(before, "/jobs", ("Cookie", session))).StatusCode.Should().Be(HttpStatusCode.OK);

        ApiApplication after = await StartAsync(("Access:Keys:ops", OtherKey));

        (await GetAsync(after, "/jobs", ("Cookie", session))).StatusCode.Should().Be(HttpStatusCode.Unauthorized);
    }

    [Theory]
    [InlineData("localhost", 200)]
    [InlineData("127.0.0.1:5080", 200)]
    [InlineData("[::1]:5080", 200)]
    [InlineData("jobs.localhost", 200)]
    [InlineData("proxy.example", 200)]
    [InlineData("evil.example", 421)]
    [InlineData("localhost.evil.example", 421)]
    [InlineData("127.0.0.1.evil.example", 421)]
    [InlineData("192.168.1.10", 421)]
    public async Task Without_keys_only_loopback_names_are_answered(string host, int status)
    {
        ApiApplication api = await StartAsync(("Access:Hosts:0", "proxy.example"));

        HttpResponseMessage response = await GetAsync(api, "/jobs", ("Host", host));

        ((int)response.StatusCode).Should().Be(status);
        if (status == 421)
        {
            JsonElement problem = await response.ShouldBeProblemAsync(421, "host_unknown");
            problem.GetProperty("found").GetString().Should().Be(host);
        }
    }

    [Theory]
    [InlineData("Sec-Fetch-Site", "cross-site", false)]
    [InlineData("Sec-Fetch-Site", "same-site", false)]
    [InlineData("Sec-Fetch-Site", "same-origin", true)]
    [InlineData("Sec-Fetch-Site", "none", true)]
    [InlineData("Origin", "http://evil.example", false)]
    [InlineData("Origin", "null", false)]
    [InlineData("Origin", "http://127.0.0.1:1", false)]
    [InlineData("X-Nothing", "a program", true)]
    public async Task Pages_of_other_sites_can_do_nothing(string header, string value, bool isLetIn)
    {
        ApiApplication api = await StartAsync();
        foreach (
            string address in new[]
            {
                "/jobs?model=capitals",
                "/dashboard/jobs/00000000-0000-0000-0000-000000000000/cancel",
                "/hangfire/jobs/enqueued/delete",
                "/login",
            }
        )
        {
            HttpResponseMessage response = await PostAsync(api, address, (header, value));

            bool refused = response.StatusCode == HttpStatusCode.Forbidden;
            refused.Should().Be(!isLetIn, address);
        }
    }

    [Fact]
    public async Task A_key_in_a_header_is_proof_enough_for_another_origin()
    {
        ApiApplication api = await StartWithKeysAsync();

        HttpResponseMessage response = await PostAsync(
            api,
            "/jobs/00000000-0000-0000-0000-000000000000/cancel",
            ("X-Api-Key", Key),
            ("Origin", "https://app.example")
        );

        await response.ShouldBeProblemAsync(404, "job_not_found");
    }

    [Fact]
    public async Task Who_has_signed_in_at_one_process_is_known_to_all_that_share_its_session_folder()
    {
        DirectoryInfo shared = Directory.CreateTempSubdirectory("seq2seq-test-");
        DirectoryInfo own = Directory.CreateTempSubdirectory("seq2seq-test-");
        try
        {
            ApiApplication first = await StartAsync(
                ("Access:Keys:ops", Key),
                ("Access:SessionFolder", shared.FullName)
            );
            string session = (await SignInAsync(first, Key, "/dashboard"))
                .Headers.GetValues("Set-Cookie")
                .Single()
                .Split(';')[0];

            ApiApplication second = await StartAsync(
                ("Access:Keys:ops", Key),
                ("Access:SessionFolder", shared.FullName)
            );
            ApiApplication stranger = await StartAsync(
                ("Access:Keys:ops", Key),
                ("Access:SessionFolder", own.FullName)
            );

            (await GetAsync(second, "/jobs", ("Cookie", session))).StatusCode.Should().Be(HttpStatusCode.OK);
            await (await GetAsync(stranger, "/jobs", ("Cookie", session))).ShouldBeProblemAsync(401, "key_missing");
        }
        finally
        {
            shared.Delete(recursive: true);
            own.Delete(recursive: true);
        }
    }

    [Theory]
    [InlineData("http://0.0.0.0:0")]
    [InlineData("http://[::]:0")]
    [InlineData("http://*:0")]
    public async Task Listening_elsewhere_without_a_key_is_refused(string urls)
    {
        Func<Task> start = () => StartAsync(("Urls", urls));

        (await start.Should().ThrowAsync<ListeningRefusedException>())
            .Which.Message.Should()
            .Contain("Access:Keys:NAME")
            .And.Contain("http://127.0.0.1:5080");
    }

    [Fact]
    public async Task Listening_elsewhere_with_a_key_works()
    {
        ApiApplication api = await StartAsync(("Urls", "http://0.0.0.0:0"), ("Access:Keys:ops", Key));

        api.Address.Port.Should().BePositive();
    }

    [Theory]
    [InlineData("short")]
    [InlineData("with white space inside")]
    [InlineData("")]
    public async Task A_weak_key_is_refused_at_start(string key)
    {
        Func<Task> start = () => StartAsync(("Access:Keys:ops", key));

        (await start.Should().ThrowAsync<Microsoft.Extensions.Options.OptionsValidationException>())
            .Which.Message.Should()
            .Contain("Access:Keys:ops");
    }

    private Task<ApiApplication> StartWithKeysAsync() =>
        StartAsync(("Access:Keys:ops", Key), ("Access:Keys:ci", OtherKey));

    private async Task<ApiApplication> StartAsync(params (string Name, string? Value)[] settings)
    {
        ApiApplication application = await ApiApplication.StartAsync(
            database.ConnectionString,
            settings.Select(setting => KeyValuePair.Create(setting.Name, setting.Value)),
            hasWorkers: false
        );
        _started.Add(application);
        return application;
    }

    private static Task<HttpResponseMessage> SignInAsync(ApiApplication api, string key, string target) =>
        api.Client.PostAsync(
            "/login",
            new FormUrlEncodedContent(
                new Dictionary<string, string>(StringComparer.Ordinal) { ["key"] = key, ["return"] = target }
            ),
            Cancellation
        );

    private static Task<HttpResponseMessage> GetAsync(
        ApiApplication api,
        string address,
        params (string Name, string Value)[] headers
    ) => SendAsync(api, HttpMethod.Get, address, headers);

    private static Task<HttpResponseMessage> PostAsync(
        ApiApplication api,
        string address,
        params (string Name, string Value)[] headers
    ) => SendAsync(api, HttpMethod.Post, address, headers);

    private static async Task<HttpResponseMessage> SendAsync(
        ApiApplication api,
        HttpMethod method,
        string address,
        (string Name, string Value)[] headers
    )
    {
        using var request = new HttpRequestMessage(method, address);
        if (method == HttpMethod.Post)
        {
            request.Content = ApiClient.Text("line\n");
        }

        foreach ((string name, string value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value).Should().BeTrue();
        }

        return await api.Client.SendAsync(request, Cancellation);
    }
}
