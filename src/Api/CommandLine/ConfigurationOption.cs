using System.CommandLine;
using Seq2Seq.Api.Hosting;

namespace Seq2Seq.Api.CommandLine;

/// <summary><c>--config FILE</c> of the commands that read the service's configuration.</summary>
internal static class ConfigurationOption
{
    public static Option<string?> Create() =>
        new("--config", "-c")
        {
            Description = "Configuration file, in place of the appsettings.json beside the program",
            HelpName = "FILE",
        };

    public static ServiceConfiguration Find(string? file)
    {
        try
        {
            return ServiceConfiguration.Find(file);
        }
        catch (FileNotFoundException e)
        {
            throw new CommandException(e.Message, e);
        }
    }
}
