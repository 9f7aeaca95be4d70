using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Seq2Seq.Jobs.Keys;
using Seq2Seq.Jobs.Telemetry;

namespace Seq2Seq.Api.Telemetry;

/// <summary>
/// OpenTelemetry: metrics for Prometheus at <c>/metrics</c>, and both metrics and traces for a collector when one is configured
/// (<see cref="TelemetryOptions"/>, or OpenTelemetry's own <c>OTEL_EXPORTER_OTLP_ENDPOINT</c>).
/// </summary>
internal static class TelemetryServices
{
    public const string MetricsAddress = "/metrics";

    private const string StandardVariable = "OTEL_EXPORTER_OTLP_ENDPOINT";

    // By routes and statuses and collections: labels that are few. Those of Npgsql would be connection strings.
    private static readonly string[] LibraryMeters =
    [
        "Microsoft.AspNetCore.Hosting",
        "Microsoft.AspNetCore.Server.Kestrel",
        "System.Runtime",
    ];

    public static IServiceCollection AddTelemetry(this IServiceCollection services, IConfiguration configuration)
    {
        services
            .AddOptions<TelemetryOptions>()
            .BindConfiguration(TelemetryOptions.SectionName, binder => binder.ErrorOnUnknownConfiguration = true)
            .ValidateDataAnnotations()
            .ValidateOnStart();
        var options = new TelemetryOptions();
        configuration.GetSection(TelemetryOptions.SectionName).Bind(options);
        bool isSent = options.OtlpEndpoint is not null || configuration[StandardVariable] is { Length: > 0 };
        OpenTelemetryBuilder builder = services
            .AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService(options.ServiceName))
            .WithMetrics(metrics =>
            {
                metrics.AddMeter([JobMetrics.MeterName, .. LibraryMeters]).AddPrometheusExporter();
                // The gauges are there as soon as somebody may collect them.
                metrics.AddInstrumentation(provider => provider.GetRequiredService<TableMetrics>());
                if (isSent)
                {
                    metrics.AddOtlpExporter(exporter => Target(exporter, "v1/metrics"));
                }
            });
        if (isSent)
        {
            builder.WithTracing(traces =>
                traces
                    .AddSource(JobTraces.SourceName)
                    .AddAspNetCoreInstrumentation()
                    .AddOtlpExporter(exporter => Target(exporter, "v1/traces"))
            );
        }

        return services;

        // An address is the collector's, as in OpenTelemetry's variable: over HTTP each signal has a path of its own there.
        void Target(OtlpExporterOptions exporter, string path)
        {
            if (Uri.TryCreate(options.OtlpEndpoint, UriKind.Absolute, out Uri? endpoint))
            {
                bool isHttp = exporter.Protocol == OtlpExportProtocol.HttpProtobuf;
                exporter.Endpoint = isHttp ? new Uri($"{endpoint.AbsoluteUri.TrimEnd('/')}/{path}") : endpoint;
            }
        }
    }

    /// <summary>Numbers over everybody's jobs: for keys that may see those.</summary>
    public static void MapMetrics(this IEndpointRouteBuilder app) =>
        app.MapPrometheusScrapingEndpoint(MetricsAddress).RequireAuthorization(KeyScopes.AllJobs);
}
