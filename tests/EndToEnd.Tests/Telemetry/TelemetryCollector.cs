using System.Collections.Concurrent;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Seq2Seq.EndToEnd.Tests.Telemetry;

/// <summary>An OpenTelemetry collector that takes OTLP over HTTP and keeps the spans, and the names of the metrics.</summary>
internal sealed class TelemetryCollector : IAsyncDisposable
{
    private readonly WebApplication _application;

    private TelemetryCollector(WebApplication application) => _application = application;

    public ConcurrentQueue<ReceivedSpan> Spans { get; } = [];

    public ConcurrentDictionary<string, bool> Metrics { get; } = new(StringComparer.Ordinal);

    public string Url => _application.Urls.Single();

    public static async Task<TelemetryCollector> StartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        TelemetryCollector collector = new(builder.Build());
        collector._application.MapPost("/v1/traces", request => ReadAsync(request, collector.ReadTraces));
        collector._application.MapPost("/v1/metrics", request => ReadAsync(request, collector.ReadMetrics));
        await collector._application.StartAsync();
        return collector;
    }

    public ValueTask DisposeAsync() => _application.DisposeAsync();

    private static async Task ReadAsync(HttpContext context, Action<ByteString> read)
    {
        read(await ByteString.FromStreamAsync(context.Request.Body, context.RequestAborted));
        context.Response.ContentType = "application/x-protobuf";
    }

    // opentelemetry/proto/trace/v1/trace.proto: resource_spans (1), of each scope_spans (2), of each spans (2).
    private void ReadTraces(ByteString request)
    {
        foreach (
            ByteString span in Fields(request, 1)
                .SelectMany(resource => Fields(resource, 2))
                .SelectMany(scope => Fields(scope, 2))
        )
        {
            Spans.Enqueue(
                new ReceivedSpan(
                    Convert.ToHexString(Fields(span, 1).Single().Span),
                    Convert.ToHexString(Fields(span, 2).Single().Span),
                    Convert.ToHexString(Fields(span, 4).SingleOrDefault(ByteString.Empty).Span),
                    Fields(span, 5).Single().ToStringUtf8()
                )
            );
        }
    }

    // opentelemetry/proto/metrics/v1/metrics.proto: resource_metrics (1), of each scope_metrics (2), of each metrics (2), name (1).
    private void ReadMetrics(ByteString request)
    {
        foreach (
            ByteString name in Fields(request, 1)
                .SelectMany(resource => Fields(resource, 2))
                .SelectMany(scope => Fields(scope, 2))
                .SelectMany(metric => Fields(metric, 1))
        )
        {
            Metrics[name.ToStringUtf8()] = true;
        }
    }

    /// <summary>The values of a message's field that are messages, texts or bytes.</summary>
    private static List<ByteString> Fields(ByteString message, int number)
    {
        List<ByteString> values = [];
        CodedInputStream input = message.CreateCodedInput();
        for (uint tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            if (tag == WireFormat.MakeTag(number, WireFormat.WireType.LengthDelimited))
            {
                values.Add(input.ReadBytes());
            }
            else
            {
                input.SkipLastField();
            }
        }

        return values;
    }
}

/// <summary>A span that arrived; identifiers in hexadecimal digits, the parent's empty where it has none.</summary>
internal sealed record ReceivedSpan(string TraceId, string SpanId, string ParentId, string Name);
