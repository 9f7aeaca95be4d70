using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Seq2Seq.Api.CommandLine.Running;
using Seq2Seq.Api.CommandLine.Server;
using Seq2Seq.Api.Hosting;

namespace Seq2Seq.Api.CommandLine;

/// <summary>
/// <c>seq2seq run</c>: a file through the service as one job, its results into a file as they come. Interrupted at any point, by
/// anything, the same command goes on where it was: the job lives in the service, and a note beside the output says which it is.
/// </summary>
internal static class RunCommand
{
    public static Command Build()
    {
        var file = new Argument<string>("FILE")
        {
            Description = "Lines to run: text, or JSON Lines with custom ids (.jsonl)",
        };
        var model = new Option<string>("--model", "-m")
        {
            Description = "Name of a configured model",
            HelpName = "NAME",
            Required = true,
        };
        var output = new Option<string>("--output", "-o")
        {
            Description = "File to write, in the order of the input; .jsonl, .csv or .txt decides the format",
            HelpName = "FILE",
            Required = true,
        };
        var server = new ServerOptions(
            $"Address of a service; without it the one on {ServiceHost.UsualUrls}, or else one that runs as long as this command"
        );
        var parameters = new Option<string?>("--parameters", "-p")
        {
            Description = "Generation parameters, as a JSON object of Hugging Face's names",
            HelpName = "JSON",
        };
        var texts = new TextOptions();
        var name = new Option<string?>("--name")
        {
            Description = "A name for the job [default: the file's]",
            HelpName = "TEXT",
        };
        var priority = new Option<int>("--priority")
        {
            Description = "0 (first) to 9 (last)",
            HelpName = "N",
            DefaultValueFactory = _ => 5,
        };
        var service = new ServiceOptions();
        var command = new ExampleCommand(
            "run",
            "Runs a file through the service and writes the results; goes on where it was interrupted."
        )
        {
            StopsInOrder = true,
            Examples =
            [
                "seq2seq run samples/words.txt --model english-tts --output words.jsonl",
                """seq2seq run in.jsonl -m NAME -o out.csv --server http://host:5080 -p '{"num_beams": 4}'""",
            ],
        };
        command.Arguments.Add(file);
        foreach (Option option in new Option[] { model, output, parameters, name, priority })
        {
            command.Options.Add(option);
        }

        texts.AddTo(command);
        server.AddTo(command);
        service.AddTo(command);
        command.SetAction(
            (parsed, cancellationToken) =>
                RunAsync(
                    new JobOrder
                    {
                        Input = parsed.GetRequiredValue(file),
                        Output = parsed.GetRequiredValue(output),
                        Model = parsed.GetRequiredValue(model),
                        Parameters = texts.Merge(parsed, CheckParameters(parsed.GetValue(parameters))),
                        Name = parsed.GetValue(name),
                        Priority = parsed.GetValue(priority),
                    },
                    server.Server(parsed),
                    server.ApiKey(parsed),
                    service.Read(parsed),
                    cancellationToken
                )
        );
        return command;
    }

    private static async Task<int> RunAsync(
        JobOrder order,
        string? server,
        string? apiKey,
        ServiceSettings settings,
        CancellationToken cancellationToken
    )
    {
        order.Check();
        await using ServiceConnection connection = await ServiceConnection.OpenAsync(
            server,
            apiKey,
            settings,
            cancellationToken
        );
        var run = new JobRun(order, connection.Service, TimeProvider.System);
        JobStatus job = await ToEndAsync(order, run, cancellationToken);
        if (job.State != "completed")
        {
            throw new CommandException($"Job {job.Id} {job.State}: {job.Error?.Message ?? "no reason given"}");
        }

        if (job.LinesFailed == 0)
        {
            return ExitCode.Success;
        }

        await Console.Error.WriteLineAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"seq2seq: {job.LinesFailed} of {job.Lines} lines failed; their results say why."
            )
        );
        return ExitCode.LinesFailed;
    }

    private static async Task<JobStatus> ToEndAsync(JobOrder order, JobRun run, CancellationToken cancellationToken)
    {
        try
        {
            return await RunProgress.ShowAsync(order, progress => run.ToEndAsync(progress, cancellationToken));
        }
        catch (OperationCanceledException e) when (cancellationToken.IsCancellationRequested)
        {
            throw new CommandException("interrupted; the same command goes on where this one ends.", e)
            {
                Code = ExitCode.Interrupted,
            };
        }
    }

    private static string? CheckParameters(string? json)
    {
        try
        {
            using JsonDocument? document = json is null ? null : JsonDocument.Parse(json);
            return json;
        }
        catch (JsonException e)
        {
            throw new CommandException("--parameters: " + e.Message, e) { Code = ExitCode.Usage };
        }
    }
}
