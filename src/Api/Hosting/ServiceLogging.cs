using Microsoft.Extensions.Logging.Console;

namespace Seq2Seq.Api.Hosting;

/// <summary>
/// Logs go to standard error, a line each; <c>Logging:Console:FormatterName</c> = <c>json</c> makes them objects. What libraries tell of
/// each statement and request is left out unless the configuration's <c>Logging:LogLevel</c> asks for it.
/// </summary>
internal static class ServiceLogging
{
    private static readonly string[] Talkative = ["Microsoft", "System", "Npgsql", "Hangfire"];

    public static void Configure(ILoggingBuilder logging, IConfiguration configuration, ServiceSettings settings)
    {
        logging.SetMinimumLevel(settings.Quiet ? LogLevel.Warning : LogLevel.Information);
        foreach (string category in Talkative)
        {
            logging.AddFilter(category, LogLevel.Warning);
        }

        // A start that fails is told by its command, in one line; a background service that does is critical, and named there.
        logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical);

        // After the filters: of two rules for one category the later one holds.
        logging.AddConfiguration(configuration.GetSection("Logging"));
        logging.AddSimpleConsole(format =>
        {
            format.SingleLine = true;
            format.TimestampFormat = "yyyy-MM-dd HH:mm:ss.fff ";
        });
        logging.Services.Configure<ConsoleLoggerOptions>(console =>
            console.LogToStandardErrorThreshold = LogLevel.Trace
        );
    }
}
