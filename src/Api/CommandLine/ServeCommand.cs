using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Seq2Seq.Api.Hosting;

namespace Seq2Seq.Api.CommandLine;

/// <summary><c>seq2seq serve</c>: the job service, or one part of it.</summary>
internal static class ServeCommand
{
    private static readonly Dictionary<string, ServiceRole> Roles = new(StringComparer.Ordinal)
    {
        ["all"] = ServiceRole.All,
        ["api"] = ServiceRole.Api,
        ["worker"] = ServiceRole.Worker,
    };

    public static Command Build()
    {
        var service = new ServiceOptions();
        var role = new Option<string>("--role")
        {
            Description = "What this process does: HTTP, models, or both",
            DefaultValueFactory = _ => "all",
        };
        role.AcceptOnlyFromAmong([.. Roles.Keys]);
        var urls = new Option<string?>("--urls")
        {
            Description =
                $"Addresses to listen on, separated by semicolons [default: {ServiceHost.UsualUrls}; a worker listens on none]",
            HelpName = "URLS",
        };
        var command = new ExampleCommand("serve", "Runs the job service: HTTP, dashboard, workers.")
        {
            StopsInOrder = true,
            Examples =
            [
                "seq2seq serve",
                "seq2seq serve --config my.json --data /srv/seq2seq --urls http://127.0.0.1:8080",
                "ConnectionStrings__Jobs='Host=db;Database=jobs;Username=jobs;Password=…' seq2seq serve --role worker",
            ],
        };
        command.Options.Add(role);
        command.Options.Add(urls);
        service.AddTo(command);
        command.SetAction(
            async (parsed, cancellationToken) =>
            {
                ServiceSettings settings = service.Read(parsed) with
                {
                    Role = Roles[parsed.GetRequiredValue(role)],
                    Urls = parsed.GetValue(urls),
                };
                await using ServiceHost host = await ServiceHost.StartAsync(settings, cancellationToken);
                Announce(host);
                await host.RunAsync(cancellationToken);
                return ExitCode.Success;
            }
        );
        return command;
    }

    private static void Announce(ServiceHost host)
    {
        using Process self = Process.GetCurrentProcess();
        TimeSpan since = TimeProvider.System.GetLocalNow().DateTime - self.StartTime;
        string seconds = since.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture);
        if (host.Addresses.Count == 0)
        {
            Console.WriteLine($"seq2seq works since {seconds} s after its start; models are loading. Ctrl-C stops it.");
            return;
        }

        foreach (string address in host.Addresses)
        {
            Console.WriteLine(
                $"seq2seq answers on {address} ({seconds} s after its start); its dashboard is {address}/dashboard"
            );
        }

        Console.WriteLine("Models are loading: /readyz says when they are. Ctrl-C stops the service.");
    }
}
