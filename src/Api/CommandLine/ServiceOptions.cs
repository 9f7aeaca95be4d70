using System.CommandLine;
using Seq2Seq.Api.Hosting;

namespace Seq2Seq.Api.CommandLine;

/// <summary>What the commands that start the service, or a part of it, share.</summary>
internal sealed class ServiceOptions
{
    public Option<string?> Config { get; } = ConfigurationOption.Create();

    public Option<string?> Data { get; } =
        new("--data")
        {
            Description = "Data folder of the service's own PostgreSQL (used when ConnectionStrings:Jobs is empty)",
            HelpName = "DIR",
        };

    public void AddTo(Command command)
    {
        command.Options.Add(Config);
        command.Options.Add(Data);
    }

    public ServiceSettings Read(ParseResult parsed) =>
        new() { Configuration = ConfigurationOption.Find(parsed.GetValue(Config)), DataFolder = parsed.GetValue(Data) };
}
