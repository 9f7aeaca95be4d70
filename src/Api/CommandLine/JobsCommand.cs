using System.CommandLine;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Seq2Seq.Api.CommandLine.Server;
using Seq2Seq.Api.Hosting;
using Seq2Seq.Jobs.Submission;

namespace Seq2Seq.Api.CommandLine;

/// <summary><c>seq2seq jobs</c>: looks at the jobs of a service and changes their course.</summary>
internal static class JobsCommand
{
    private const int MostJobs = 200;
    private const int WaitSeconds = 60;

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static Command Build() =>
        new("jobs", "Looks at the jobs of a service and changes their course.")
        {
            BuildList(),
            BuildShow(),
            BuildAction("cancel", "Cancels a job; results that are there are kept."),
            BuildAction("pause", "Begins no more shards of a job; those that run go on to their end."),
            BuildAction("resume", "Lets a paused job go on."),
            BuildAction("retry", "Runs the failed and cancelled lines of a job that has ended again."),
            BuildPriority(),
        };

    private static ExampleCommand BuildList()
    {
        var state = new Option<string?>("--state")
        {
            Description = "receiving, queued, running, paused, completed, failed or cancelled",
            HelpName = "STATE",
        };
        var model = new Option<string?>("--model", "-m")
        {
            Description = "Only jobs for this model",
            HelpName = "NAME",
        };
        var search = new Option<string?>("--search")
        {
            Description = "Part of a name, or the beginning of an id",
            HelpName = "TEXT",
        };
        var limit = new Option<int>("--limit")
        {
            Description = "Most jobs to list, newest first: 1 to 200",
            HelpName = "N",
            DefaultValueFactory = _ => 20,
        };
        limit.Validators.Add(result => CheckRange(result, "--limit", 1, MostJobs));
        var command = new ExampleCommand("list", "Lists jobs, newest first.")
        {
            Examples = ["seq2seq jobs list", "seq2seq jobs list --state failed --json --server http://host:5080"],
        };
        foreach (Option option in new Option[] { state, model, search, limit })
        {
            command.Options.Add(option);
        }

        SetAction(
            command,
            async (parsed, service, json, cancellationToken) =>
            {
                var filter = new Dictionary<string, string?>(StringComparer.Ordinal)
                {
                    ["state"] = parsed.GetValue(state),
                    ["model"] = parsed.GetValue(model),
                    ["search"] = parsed.GetValue(search),
                    ["limit"] = parsed.GetValue(limit).ToString(CultureInfo.InvariantCulture),
                };
                JobStatusPage page = await service.ListAsync(
                    filter.Where(field => field.Value is not null),
                    cancellationToken
                );
                foreach (JobStatus job in page.Jobs)
                {
                    Print(job, json);
                }

                return ExitCode.Success;
            }
        );
        return command;
    }

    private static ExampleCommand BuildShow()
    {
        Argument<Guid> id = JobArgument();
        var wait = new Option<bool>("--wait")
        {
            Description = "Wait until the job has ended; the exit code then tells how: 0, 3 with failed lines, else 1",
        };
        var command = new ExampleCommand("show", "Shows a job.")
        {
            Examples = ["seq2seq jobs show ID", "seq2seq jobs show ID --wait && echo all lines are done"],
        };
        command.Arguments.Add(id);
        command.Options.Add(wait);
        SetAction(
            command,
            async (parsed, service, json, cancellationToken) =>
            {
                bool waits = parsed.GetValue(wait);
                JobStatus job = await service.GetAsync(parsed.GetValue(id), cancellationToken);
                while (waits && job.FinishedAt is null)
                {
                    job = await service.WaitAsync(job.Id, WaitSeconds, cancellationToken);
                }

                Print(job, json);
                return !waits ? ExitCode.Success
                    : job.State != "completed" ? ExitCode.Failure
                    : job.LinesFailed > 0 ? ExitCode.LinesFailed
                    : ExitCode.Success;
            }
        );
        return command;
    }

    private static ExampleCommand BuildAction(string action, string description)
    {
        Argument<Guid> id = JobArgument();
        var command = new ExampleCommand(action, description) { Examples = [$"seq2seq jobs {action} ID"] };
        command.Arguments.Add(id);
        SetAction(
            command,
            async (parsed, service, json, cancellationToken) =>
            {
                Print(await service.ActAsync(parsed.GetValue(id), action, cancellationToken), json);
                return ExitCode.Success;
            }
        );
        return command;
    }

    private static ExampleCommand BuildPriority()
    {
        Argument<Guid> id = JobArgument();
        var priority = new Argument<int>("N") { Description = "0 (first) to 9 (last)" };
        priority.Validators.Add(result =>
            CheckRange(result, "The priority", JobRequest.FirstPriority, JobRequest.LastPriority)
        );
        var command = new ExampleCommand("priority", "Changes the priority of a job that has not ended.")
        {
            Examples = ["seq2seq jobs priority ID 1"],
        };
        command.Arguments.Add(id);
        command.Arguments.Add(priority);
        SetAction(
            command,
            async (parsed, service, json, cancellationToken) =>
            {
                Print(
                    await service.SetPriorityAsync(parsed.GetValue(id), parsed.GetValue(priority), cancellationToken),
                    json
                );
                return ExitCode.Success;
            }
        );
        return command;
    }

    private static Argument<Guid> JobArgument() => new("ID") { Description = "Id of the job" };

    private static void SetAction(
        Command command,
        Func<ParseResult, ServiceClient, bool, CancellationToken, Task<int>> action
    )
    {
        var server = new ServerOptions($"Address of the service [default: {ServiceHost.UsualUrls}]");
        var json = new Option<bool>("--json") { Description = "Print a JSON object for each job" };
        server.AddTo(command);
        command.Options.Add(json);
        command.SetAction(
            async (parsed, cancellationToken) =>
            {
                using var service = ServiceClient.Connect(
                    server.Server(parsed) ?? ServiceHost.UsualUrls,
                    server.ApiKey(parsed)
                );
                try
                {
                    return await action(parsed, service, parsed.GetValue(json), cancellationToken);
                }
                catch (HttpRequestException e)
                {
                    throw new CommandException($"The service on {service.Address} does not answer: {e.Message}", e);
                }
            }
        );
    }

    private static void CheckRange(System.CommandLine.Parsing.SymbolResult result, string what, int least, int most)
    {
        if (
            result.Tokens.Count == 1
            && int.TryParse(result.Tokens[0].Value, CultureInfo.InvariantCulture, out int number)
            && (number < least || number > most)
        )
        {
            result.AddError(
                string.Create(CultureInfo.InvariantCulture, $"{what} is {number}; expected {least} to {most}.")
            );
        }
    }

    private static void Print(JobStatus job, bool json) =>
        Console.WriteLine(
            json
                ? JsonSerializer.Serialize(job, Json)
                : string.Create(
                    CultureInfo.InvariantCulture,
                    $"{job.Id}  {job.State, -9}  {job.LinesDone}/{job.Lines} lines, {job.LinesFailed} failed  {job.Model}  {job.Name}{Reason(job)}"
                )
        );

    private static string Reason(JobStatus job) => job.Error is { } error ? $"  ({error.Code}: {error.Message})" : "";
}
