using Microsoft.AspNetCore.Server.Kestrel.Core;
using Seq2Seq.Api.Authentication;
using Seq2Seq.Api.Dashboard;
using Seq2Seq.Api.Generate;
using Seq2Seq.Api.Health;
using Seq2Seq.Api.Jobs;
using Seq2Seq.Api.Models;
using Seq2Seq.Api.OpenApi;
using Seq2Seq.Api.Problems;
using Seq2Seq.Api.Requests;
using Seq2Seq.Api.Telemetry;

namespace Seq2Seq.Api;

/// <summary>
/// The HTTP side as two calls: services, then endpoints. The host has registered an <c>NpgsqlDataSource</c> and called
/// <c>AddJobs()</c>; a role with workers has called <c>AddJobWorkers()</c> as well.
/// </summary>
public static class ApiHost
{
    private const int MostHeaderBytes = 16 * 1024;
    private static readonly TimeSpan HeadersTimeout = TimeSpan.FromSeconds(15);

    /// <summary>Registers everything that the endpoints, the pages and the checks at the door need.</summary>
    public static WebApplicationBuilder AddSeq2SeqApi(this WebApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        // The framework's request logs name whole addresses; RequestLog names routes.
        builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
        // Its one warning is that session keys lie unencrypted in the user's own folder, as they may.
        builder.Logging.AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error);
        IServiceCollection services = builder.Services;
        services.Configure<KestrelServerOptions>(options =>
        {
            options.AddServerHeader = false;
            options.Limits.MaxRequestBodySize = RequestJson.MaxBytes;
            options.Limits.MaxRequestHeadersTotalSize = MostHeaderBytes;
            options.Limits.RequestHeadersTimeout = HeadersTimeout;
        });
        services.ConfigureHttpJsonOptions(options => ApiJson.Configure(options.SerializerOptions));
        services.AddExceptionHandler<ProblemExceptionHandler>();
        services.AddAccess();
        services.AddApiDocument();
        services.AddDashboard();
        services.AddTelemetry(builder.Configuration);
        services.AddSingleton<GenerateEndpoint>();
        return builder;
    }

    /// <summary>Maps every endpoint and page, behind authentication and the error shapes.</summary>
    public static WebApplication MapSeq2SeqApi(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        app.UseMiddleware<RequestLog>();
        app.UseMiddleware<SecurityHeaders>();
        app.UseExceptionHandler(new ExceptionHandlerOptions { ExceptionHandler = _ => Task.CompletedTask });
        app.UseStatusCodePages(status => ErrorShape.WriteStatusAsync(status.HttpContext));
        app.UseRouting();
        app.UseMiddleware<RequestGuard>();
        app.UseAuthentication();
        app.UseAuthorization();

        app.MapJobs();
        app.MapModels();
        GenerateEndpoint.Map(app);
        app.MapHealth();
        app.MapMetrics();
        app.MapProblems();
        app.MapApiDocument();
        app.MapLogin();
        app.MapDashboard();
        return app;
    }
}
