using System.CommandLine;

namespace Seq2Seq.Api.CommandLine.Server;

/// <summary>Which service a command speaks to, and with which key.</summary>
internal sealed class ServerOptions(string description)
{
    private const string ApiKeyVariable = "SEQ2SEQ_API_KEY";

    private readonly Option<string?> _server = new("--server") { Description = description, HelpName = "URL" };

    private readonly Option<string?> _apiKey = new("--api-key")
    {
        Description = $"API key of the service; better in the environment, as {ApiKeyVariable}",
        HelpName = "KEY",
    };

    public void AddTo(Command command)
    {
        command.Options.Add(_server);
        command.Options.Add(_apiKey);
    }

    /// <summary>The address that was given; null when there was none.</summary>
    public string? Server(ParseResult parsed) => parsed.GetValue(_server);

    public string? ApiKey(ParseResult parsed) =>
        parsed.GetValue(_apiKey) ?? Environment.GetEnvironmentVariable(ApiKeyVariable);
}
