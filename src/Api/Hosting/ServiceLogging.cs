using Microsoft.Extensions.Logging.Console;

namespace Seq2Seq.Api.Hosting;

/// <summary>Logs go to standard error, a line each; <c>Logging:Console:FormatterName</c> = <c>json</c> makes them objects.</summary>
internal static class ServiceLogging
{
    public static void Configure(ILoggingBuilder logging, ServiceSettings settings)
    {
        if (settings.Quiet)
        {
            logging.SetMinimumLevel(LogLevel.Warning);
        }

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
