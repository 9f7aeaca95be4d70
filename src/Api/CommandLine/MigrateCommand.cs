using System.CommandLine;
using Seq2Seq.Api.Hosting;

namespace Seq2Seq.Api.CommandLine;

/// <summary><c>seq2seq migrate</c>: brings the database to this version and ends. <c>serve</c> does the same before it starts.</summary>
internal static class MigrateCommand
{
    public static Command Build()
    {
        var service = new ServiceOptions();
        var command = new ExampleCommand(
            "migrate",
            "Brings the database to this version; safe to run at any time, by many at once."
        )
        {
            Examples = ["ConnectionStrings__Jobs='Host=db;Database=jobs;Username=owner;Password=…' seq2seq migrate"],
        };
        service.AddTo(command);
        command.SetAction(
            async (parsed, cancellationToken) =>
            {
                ServiceSettings settings = service.Read(parsed) with { Quiet = true };
                var builder = new ConfigurationBuilder();
                settings.AddTo(builder);
                IConfigurationRoot configuration = builder.Build();
                using ILoggerFactory loggers = LoggerFactory.Create(logging =>
                    ServiceLogging.Configure(logging, configuration, settings)
                );
                await using ServiceDatabase database = await ServiceDatabase.OpenAsync(
                    configuration,
                    ServiceRole.All,
                    loggers,
                    cancellationToken
                );
                foreach (string name in database.Migrated)
                {
                    Console.WriteLine("applied " + name);
                }

                Console.WriteLine("The database is at this version.");
            }
        );
        return command;
    }
}
