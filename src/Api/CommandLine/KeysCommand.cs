using System.CommandLine;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Npgsql;
using Seq2Seq.Api.Hosting;
using Seq2Seq.Jobs.Keys;
using Seq2Seq.Jobs.Storage;

namespace Seq2Seq.Api.CommandLine;

/// <summary>
/// <c>seq2seq keys</c>: issues, lists and revokes API keys in the service's database, whether the service runs or not. Who may reach
/// the database is the operator.
/// </summary>
internal static class KeysCommand
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static Command Build() =>
        new("keys", "Issues, lists and revokes API keys.") { BuildAdd(), BuildList(), BuildRevoke() };

    private static ExampleCommand BuildAdd()
    {
        var name = new Argument<string>("NAME") { Description = "A name for people" };
        var scopes = new Option<string[]>("--scope")
        {
            Description =
                "read (look), write (submit and change jobs), all (jobs of every key), admin (models and Hangfire); may be repeated",
            DefaultValueFactory = _ => [KeyScopes.Read, KeyScopes.Write],
            AllowMultipleArgumentsPerToken = true,
        };
        scopes.AcceptOnlyFromAmong([.. KeyScopes.All]);
        var expires = new Option<DateTimeOffset?>("--expires")
        {
            Description = "When it stops working, such as 2027-01-31T00:00:00Z [default: never]",
            HelpName = "TIME",
        };
        Option<int?> jobs = Limit<int?>("--max-unfinished-jobs", "Jobs that have not ended, at once");
        Option<int?> submits = Limit<int?>("--max-submits-per-minute", "Submits in a minute");
        Option<long?> lines = Limit<long?>("--max-lines-per-day", "Lines in any 24 hours");
        Option<long?> bytes = Limit<long?>("--max-bytes-per-day", "Bytes of input in any 24 hours");
        var command = new ExampleCommand("add", "Issues a key and prints its secret, which is shown this once.")
        {
            Examples =
            [
                "seq2seq keys add ci",
                "seq2seq keys add batch --max-unfinished-jobs 10 --max-lines-per-day 1000000",
                "seq2seq keys add prometheus --scope read all",
            ],
        };
        command.Arguments.Add(name);
        foreach (Option option in new Option[] { scopes, expires, jobs, submits, lines, bytes })
        {
            command.Options.Add(option);
        }

        SetAction(
            command,
            async (parsed, keys, json, cancellationToken) =>
            {
                IssuedKey issued = await keys.AddAsync(
                    new ApiKeyRequest
                    {
                        Name = parsed.GetRequiredValue(name),
                        Scopes = [.. parsed.GetRequiredValue(scopes).Distinct(StringComparer.Ordinal)],
                        ExpiresAt = parsed.GetValue(expires),
                        Limits = new KeyLimits
                        {
                            UnfinishedJobs = parsed.GetValue(jobs),
                            SubmitsPerMinute = parsed.GetValue(submits),
                            LinesPerDay = parsed.GetValue(lines),
                            BytesPerDay = parsed.GetValue(bytes),
                        },
                    },
                    cancellationToken
                );
                Console.WriteLine(json ? JsonSerializer.Serialize(issued, Json) : issued.Secret);
            }
        );
        return command;
    }

    private static ExampleCommand BuildList()
    {
        var command = new ExampleCommand("list", "Lists all keys, newest first, without their secrets.")
        {
            Examples = ["seq2seq keys list", "seq2seq keys list --json"],
        };
        SetAction(
            command,
            async (_, keys, json, cancellationToken) =>
            {
                foreach (ApiKey key in await keys.ListAsync(cancellationToken))
                {
                    Print(key, json);
                }
            }
        );
        return command;
    }

    private static ExampleCommand BuildRevoke()
    {
        var name = new Argument<string>("NAME") { Description = "The key's name, or its id" };
        var command = new ExampleCommand("revoke", "Revokes a key; it works nowhere after ten seconds. Its jobs go on.")
        {
            Examples = ["seq2seq keys revoke ci"],
        };
        command.Arguments.Add(name);
        SetAction(
            command,
            async (parsed, keys, json, cancellationToken) =>
            {
                string wanted = parsed.GetRequiredValue(name);
                ApiKey key =
                    (await keys.ListAsync(cancellationToken)).FirstOrDefault(key =>
                        key.Id.ToString() == wanted
                        || (key.RevokedAt is null && key.Name.Equals(wanted, StringComparison.OrdinalIgnoreCase))
                    ) ?? throw new CommandException($"There is no key '{wanted}' in use; seq2seq keys list shows all.");
                Print((await keys.RevokeAsync(key.Id, cancellationToken))!, json);
            }
        );
        return command;
    }

    private static Option<T> Limit<T>(string name, string description) =>
        new(name) { Description = $"{description} [default: no limit]", HelpName = "N" };

    private static void SetAction(
        Command command,
        Func<ParseResult, ApiKeyDirectory, bool, CancellationToken, Task> action
    )
    {
        var service = new ServiceOptions();
        var json = new Option<bool>("--json") { Description = "Print a JSON object for each key" };
        service.AddTo(command);
        command.Options.Add(json);
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
                await using ServiceDatabase database = await ServiceDatabase.OpenBesideAsync(
                    configuration,
                    loggers,
                    cancellationToken
                );
                await using NpgsqlDataSource dataSource = JobsDataSource.Create(database.ConnectionString, loggers);
                await action(
                    parsed,
                    new ApiKeyDirectory(dataSource, TimeProvider.System),
                    parsed.GetValue(json),
                    cancellationToken
                );
            }
        );
    }

    private static void Print(ApiKey key, bool json) =>
        Console.WriteLine(
            json
                ? JsonSerializer.Serialize(key, Json)
                : $"{key.Id}  {key.Prefix}…  {key.Name}  {string.Join(',', key.Scopes)}  {key.Limits.Describe()}  {StateOf(key, TimeProvider.System.GetUtcNow())}"
        );

    private static string StateOf(ApiKey key, DateTimeOffset now) =>
        key.RevokedAt is { } revoked ? $"revoked {Day(revoked)}"
        : key.ExpiresAt is { } expires ? $"{(expires <= now ? "expired" : "expires")} {Day(expires)}"
        : key.LastUsedAt is { } used ? $"last used {Day(used)}"
        : "never used";

    private static string Day(DateTimeOffset time) =>
        time.ToUniversalTime().ToString("yyyy-MM-dd HH:mm'Z'", CultureInfo.InvariantCulture);
}
