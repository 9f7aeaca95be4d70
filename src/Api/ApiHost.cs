namespace Seq2Seq.Api;

/// <summary>
/// The HTTP side as two calls: services, then endpoints. The host has registered an <c>NpgsqlDataSource</c> and called
/// <c>AddJobs()</c>; a role with workers has called <c>AddJobWorkers()</c> as well.
/// </summary>
public static class ApiHost
{
    /// <summary>Registers everything that the endpoints, the pages and the checks at the door need.</summary>
    public static WebApplicationBuilder AddSeq2SeqApi(this WebApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddProblemDetails();
        return builder;
    }

    /// <summary>Maps every endpoint and page, behind authentication and the error shapes.</summary>
    public static WebApplication MapSeq2SeqApi(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        app.UseExceptionHandler();
        app.UseStatusCodePages();
        return app;
    }
}
