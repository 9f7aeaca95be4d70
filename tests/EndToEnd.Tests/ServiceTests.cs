using System.Text.Json;

namespace Seq2Seq.EndToEnd.Tests;

/// <summary>
/// The service as its users start it, on its own PostgreSQL, with files over HTTP: every line is answered once and in order,
/// whatever is stopped or killed on the way.
/// </summary>
public sealed class ServiceTests(ExpectedTexts expected) : IClassFixture<ExpectedTexts>
{
    private const int LineCount = 4000;

    private static readonly Dictionary<string, string> Configuration = new(StringComparer.Ordinal)
    {
        ["Slots__0__Device"] = "cpu:0",
        ["Slots__0__Threads"] = "1",
        ["Slots__1__Device"] = "cpu:1",
        ["Slots__1__Threads"] = "1",
        // Small shards and short leases: much can go wrong in little time.
        ["Jobs__ShardLines"] = "100",
        ["Jobs__Lease"] = "00:00:05",
        ["Jobs__MaxAttempts"] = "20",
    };

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_file_is_answered_line_for_line_on_two_slots()
    {
        using var data = new DataFolder();
        await using var service = ServiceProcess.Start(data.Path, environment: Configuration);
        await service.ReadyAsync(Cancelled);

        string job = await service.Http.SubmitAsync(Words.Lines(LineCount), Cancelled);
        (await service.Http.UntilAsync(job, long.MaxValue, Cancelled))
            .Should()
            .Be(new JobClient.JobState("completed", LineCount, 0), service.Log);

        await ShouldHaveEveryLineAsync(service, job);
        (await SlotsThatWorkedAsync(service)).Should().BeEquivalentTo(["cpu:0", "cpu:1"]);
        (await service.StopAsync()).Should().Be(0, service.Log);
        data.Server.Should().BeNull();
    }

    [Fact]
    public async Task A_service_killed_in_the_middle_finds_its_database_running_and_finishes_the_job()
    {
        using var data = new DataFolder();
        string job;
        await using (var killed = ServiceProcess.Start(data.Path, environment: Configuration))
        {
            await killed.ReadyAsync(Cancelled);
            job = await killed.Http.SubmitAsync(Words.Lines(LineCount), Cancelled);
            (await killed.Http.UntilAsync(job, 300, Cancelled)).Name.Should().Be("running");
            await killed.KillAsync();
        }

        int? server = data.Server;
        server.Should().NotBeNull();
        await using var service = ServiceProcess.Start(data.Path, environment: Configuration);
        await service.ReadyAsync(Cancelled);

        data.Server.Should().Be(server);
        service.Log.Should().Contain("Took over PostgreSQL");
        (await service.Http.UntilAsync(job, long.MaxValue, Cancelled)).Name.Should().Be("completed", service.Log);
        await ShouldHaveEveryLineAsync(service, job);
    }

    [Fact]
    public async Task Everything_restarted_in_the_middle_loses_and_doubles_nothing()
    {
        using var data = new DataFolder();
        string job;
        await using (var first = ServiceProcess.Start(data.Path, environment: Configuration))
        {
            await first.ReadyAsync(Cancelled);
            job = await first.Http.SubmitAsync(Words.Lines(LineCount), Cancelled);
            (await first.Http.UntilAsync(job, 300, Cancelled)).Name.Should().Be("running");
            (await first.StopAsync()).Should().Be(0, first.Log);
        }

        data.Server.Should().BeNull();
        await using var second = ServiceProcess.Start(data.Path, environment: Configuration);
        await second.ReadyAsync(Cancelled);

        (await second.Http.UntilAsync(job, long.MaxValue, Cancelled)).Name.Should().Be("completed", second.Log);
        await ShouldHaveEveryLineAsync(second, job);
    }

    [Fact]
    public async Task Workers_killed_in_the_middle_leave_the_same_bytes()
    {
        using var data = new DataFolder();
        await using var api = ServiceProcess.Start(data.Path, "api", Configuration);
        var workers = new List<ServiceProcess>
        {
            ServiceProcess.Start(data.Path, "worker", Configuration),
            ServiceProcess.Start(data.Path, "worker", Configuration),
        };
        try
        {
            await api.ReadyAsync(Cancelled);
            string calm = await api.Http.SubmitAsync(Words.Lines(LineCount), Cancelled);
            (await api.Http.UntilAsync(calm, long.MaxValue, Cancelled)).Name.Should().Be("completed", workers[0].Log);

            string harried = await api.Http.SubmitAsync(Words.Lines(LineCount), Cancelled);
            for (int kill = 1; kill <= 4; kill++)
            {
                (await api.Http.UntilAsync(harried, kill * 500, Cancelled)).Name.Should().Be("running");
                await workers[kill % 2].KillAsync();
                await workers[kill % 2].DisposeAsync();
                workers[kill % 2] = ServiceProcess.Start(data.Path, "worker", Configuration);
            }

            (await api.Http.UntilAsync(harried, long.MaxValue, Cancelled))
                .Should()
                .Be(new JobClient.JobState("completed", LineCount, 0), workers[0].Log);
            await ShouldHaveEveryLineAsync(api, harried);
            (await api.Http.ResultsAsync(harried, "jsonl", Cancelled))
                .Should()
                .Be(await api.Http.ResultsAsync(calm, "jsonl", Cancelled));
        }
        finally
        {
            foreach (ServiceProcess worker in workers)
            {
                await worker.DisposeAsync();
            }
        }
    }

    [Fact]
    public async Task A_second_service_on_the_data_folder_is_refused_in_one_line()
    {
        using var data = new DataFolder();
        await using var first = ServiceProcess.Start(data.Path, environment: Configuration);
        await first.ReadyAsync(Cancelled);

        await using var second = ServiceProcess.Start(data.Path, environment: Configuration);

        (await second.EndAsync()).Should().Be(1);
        second
            .Log.Should()
            .StartWith(
                $"seq2seq: Data folder '{data.Path}' is in use by another seq2seq service (process {first.Id})."
            );
    }

    [Fact]
    public async Task A_refused_start_ends_with_its_reason_and_stops_what_had_started()
    {
        using var data = new DataFolder();
        await using var service = ServiceProcess.Start(data.Path, environment: Configuration, urls: "http://0.0.0.0:0");

        (await service.EndAsync()).Should().Be(1);

        service.Log.Should().NotContain("Exception").And.NotContain("   at ");
        service.Log.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1].Should().StartWith("seq2seq: Listening on ");
        data.Server.Should().BeNull();
    }

    [Fact]
    public async Task An_unprivileged_user_can_run_it_all()
    {
        Assert.SkipUnless(
            Environment.IsPrivilegedProcess,
            "Only root can become another user; others are unprivileged anyway."
        );
        using var data = new DataFolder(everyones: true);
        await using var service = ServiceProcess.Start(
            data.Path,
            environment: Configuration,
            launcher: ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"]
        );
        await service.ReadyAsync(Cancelled);

        string job = await service.Http.SubmitAsync(Words.Lines(10), Cancelled);

        (await service.Http.UntilAsync(job, long.MaxValue, Cancelled)).Name.Should().Be("completed", service.Log);
        (await service.StopAsync()).Should().Be(0, service.Log);
    }

    [Fact]
    public async Task Run_starts_a_service_when_none_was_named_and_writes_every_result()
    {
        using var data = new DataFolder();
        string input = Path.Combine(data.Path, "words.txt");
        string output = Path.Combine(data.Path, "out.txt");
        await File.WriteAllLinesAsync(input, Words.Lines(500), Cancelled);
        await using var service = ServiceProcess.Start(data.Path, environment: Configuration);
        await service.ReadyAsync(Cancelled);

        Program.Outcome run = await Program.RunAsync(
            [
                "run",
                input,
                "--model",
                "english-tts",
                "--output",
                output,
                "--server",
                service.Http.BaseAddress!.ToString(),
            ],
            Cancelled
        );

        run.ExitCode.Should().Be(0, run.Error);
        (await File.ReadAllLinesAsync(output, Cancelled)).Should().Equal(expected.Texts.Take(500));
    }

    private async Task ShouldHaveEveryLineAsync(ServiceProcess service, string job)
    {
        string[] results = (await service.Http.ResultsAsync(job, "jsonl", Cancelled)).Split(
            '\n',
            StringSplitOptions.RemoveEmptyEntries
        );
        var lines = results
            .Select(result => JsonDocument.Parse(result).RootElement)
            .Select(result =>
                (
                    result.GetProperty("line").GetInt32(),
                    result.GetProperty("outputs")[0].GetProperty("text").GetString()!
                )
            )
            .ToList();
        lines.Should().Equal(expected.Texts.Take(LineCount).Index());
    }

    private static async Task<List<string>> SlotsThatWorkedAsync(ServiceProcess service)
    {
        using var devices = JsonDocument.Parse(await service.Http.GetStringAsync("devices", Cancelled));
        return
        [
            .. devices
                .RootElement.GetProperty("devices")
                .EnumerateArray()
                .Where(device => device.GetProperty("lines_done").GetInt64() > 0)
                .Select(device => device.GetProperty("name").GetString()!),
        ];
    }
}
