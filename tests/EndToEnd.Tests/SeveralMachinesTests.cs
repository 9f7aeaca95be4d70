using System.Text.Json;
using Seq2Seq.Testing;

namespace Seq2Seq.EndToEnd.Tests;

/// <summary>Workers in network namespaces of their own on one PostgreSQL, as on several machines.</summary>
public sealed class SeveralMachinesTests
{
    private const int LineCount = 3000;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_machine_that_drops_off_the_network_costs_only_its_leases_and_works_again_when_it_is_back()
    {
        Assert.SkipWhen(SeparateMachine.Hindrance is not null, SeparateMachine.Hindrance ?? "");
        using var data = new DataFolder();
        using var first = new SeparateMachine(1);
        using var second = new SeparateMachine(2);
        int port = FreePort.Find();
        await using PostgresCluster cluster = await PostgresCluster.StartAsync(
            new PostgresClusterOptions
            {
                Port = port,
                Addresses = ["127.0.0.1", first.Gateway, second.Gateway],
                Network = SeparateMachine.Network,
            },
            Cancelled
        );
        await using var api = ServiceProcess.Start(data.Path, "api", Settings("127.0.0.1", port));
        await using var near = ServiceProcess.Start(data.Path, "worker", Settings(first.Gateway, port), first.Launcher);
        await using var far = ServiceProcess.Start(
            data.Path,
            "worker",
            Settings(second.Gateway, port),
            second.Launcher
        );
        await api.ReadyAsync(Cancelled);
        await UntilBothWorkAsync(api);
        string calm = await RunAsync(api);

        string harried = await api.Http.SubmitAsync(Words.Lines(LineCount), Cancelled);
        (await api.Http.UntilAsync(harried, LineCount / 4, Cancelled)).Name.Should().Be("running");
        second.PullCable();
        (await api.Http.UntilAsync(harried, long.MaxValue, Cancelled))
            .Should()
            .Be(new JobClient.JobState("completed", LineCount, 0), near.Log);

        (await api.Http.ResultsAsync(harried, "jsonl", Cancelled))
            .Should()
            .Be(await api.Http.ResultsAsync(calm, "jsonl", Cancelled));
        second.PlugCable();
        await UntilBothWorkAsync(api);
        far.HasExited.Should().BeFalse(far.Log);
    }

    // Job after job, until each worker has done lines since now.
    private static async Task UntilBothWorkAsync(ServiceProcess api)
    {
        var before = await LinesByWorkerAsync(api);
        Dictionary<string, long> now;
        do
        {
            await RunAsync(api);
            now = await LinesByWorkerAsync(api);
        } while (now.Count(worker => worker.Value > before.GetValueOrDefault(worker.Key)) < 2);
    }

    private static async Task<string> RunAsync(ServiceProcess api)
    {
        string job = await api.Http.SubmitAsync(Words.Lines(LineCount), Cancelled);
        (await api.Http.UntilAsync(job, long.MaxValue, Cancelled)).Name.Should().Be("completed", api.Log);
        return job;
    }

    private static async Task<Dictionary<string, long>> LinesByWorkerAsync(ServiceProcess api)
    {
        using var devices = JsonDocument.Parse(await api.Http.GetStringAsync("devices", Cancelled));
        return devices
            .RootElement.GetProperty("devices")
            .EnumerateArray()
            .ToDictionary(
                device => device.GetProperty("worker").GetString()!,
                device => device.GetProperty("lines_done").GetInt64(),
                StringComparer.Ordinal
            );
    }

    private static Dictionary<string, string> Settings(string host, int port) =>
        new(StringComparer.Ordinal)
        {
            // Short limits: a machine that is gone is noticed in little time.
            ["ConnectionStrings__Jobs"] =
                $"Host={host};Port={port};Username=postgres;Database=seq2seq;Timeout=3;Command Timeout=5",
            ["Slots__0__Device"] = "cpu",
            ["Slots__0__Threads"] = "1",
            ["Jobs__ShardLines"] = "50",
            ["Jobs__Lease"] = "00:00:03",
            ["Jobs__MaxAttempts"] = "20",
        };
}
