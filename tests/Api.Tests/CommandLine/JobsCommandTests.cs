using System.Text.Json;
using Seq2Seq.Api.CommandLine;

namespace Seq2Seq.Api.Tests.CommandLine;

/// <summary><c>seq2seq jobs</c> as a user runs it, against the whole service.</summary>
public sealed class JobsCommandTests(ApiFixture api) : IClassFixture<ApiFixture>
{
    [Fact]
    public async Task Jobs_are_listed_shown_and_changed()
    {
        string held = CapitalsModel.HeldLine();
        Guid id = await api.Client.SubmitAsync(held);

        (await RunAsync("list", "--search", id.ToString(), "--json")).GetProperty("id").GetGuid().Should().Be(id);
        (await RunAsync("pause", id.ToString(), "--json")).GetProperty("state").GetString().Should().Be("paused");
        (await RunAsync("priority", id.ToString(), "2", "--json")).GetProperty("priority").GetInt32().Should().Be(2);
        (await RunAsync("resume", id.ToString(), "--json")).GetProperty("id").GetGuid().Should().Be(id);
        (await RunAsync("cancel", id.ToString(), "--json")).GetProperty("state").GetString().Should().Be("cancelled");
        api.Application.CapitalsModel.Release(held);
        (await RunAsync("retry", id.ToString(), "--json")).GetProperty("id").GetGuid().Should().Be(id);
        (await StartAsync("show", id.ToString(), "--wait"))
            .Output.Should()
            .Contain("completed")
            .And.Contain("1/1 lines");
    }

    [Theory]
    [InlineData("a", ExitCode.Success)]
    [InlineData("", ExitCode.LinesFailed)]
    public async Task Waiting_for_a_job_tells_how_it_ended_by_the_exit_code(string line, int expected)
    {
        Guid id = await api.Client.SubmitAsync(line);

        (await StartAsync("show", id.ToString(), "--wait")).ExitCode.Should().Be(expected);
    }

    [Fact]
    public async Task Waiting_for_a_job_that_was_cancelled_fails()
    {
        string held = CapitalsModel.HeldLine();
        Guid id = await api.Client.SubmitAsync(held);
        await RunAsync("cancel", id.ToString(), "--json");
        api.Application.CapitalsModel.Release(held);

        (await StartAsync("show", id.ToString(), "--wait")).ExitCode.Should().Be(ExitCode.Failure);
    }

    [Fact]
    public async Task What_the_service_refuses_is_told_in_its_words()
    {
        Executable.Outcome run = await StartAsync("cancel", Guid.Empty.ToString());

        run.ExitCode.Should().Be(ExitCode.Failure);
        run.Error.Should().StartWith("seq2seq: The service refused: The id is wrong");
    }

    [Fact]
    public async Task A_service_that_is_not_there_is_one_line()
    {
        Executable.Outcome run = await Executable.RunAsync("", "jobs", "list", "--server", "http://127.0.0.1:9");

        run.ExitCode.Should().Be(ExitCode.Failure);
        run.Error.Should().StartWith("seq2seq: The service on http://127.0.0.1:9/ does not answer: ");
    }

    [Theory]
    [InlineData("jobs priority 00000000-0000-0000-0000-000000000000 10", "The priority is 10; expected 0 to 9.")]
    [InlineData("jobs list --limit 0", "--limit is 0; expected 1 to 200.")]
    [InlineData("jobs show nonsense", "nonsense")]
    [InlineData("jobs list --server ftp://x", "--server is 'ftp://x'")]
    public async Task A_wrong_command_line_says_what_is_wrong(string arguments, string message)
    {
        Executable.Outcome run = await Executable.RunAsync("", arguments.Split(' '));

        run.ExitCode.Should().Be(ExitCode.Usage);
        run.Error.Should().Contain(message);
    }

    private async Task<JsonElement> RunAsync(params string[] arguments)
    {
        Executable.Outcome run = await StartAsync(arguments);
        run.ExitCode.Should().Be(ExitCode.Success, run.Error);
        return JsonDocument.Parse(run.Output).RootElement;
    }

    private Task<Executable.Outcome> StartAsync(params string[] arguments) =>
        Executable.RunAsync("", ["jobs", .. arguments, "--server", api.Application.Address.ToString()]);
}
