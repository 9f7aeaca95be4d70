using Microsoft.AspNetCore.Http.HttpResults;
using Seq2Seq.Api.OpenApi;
using Seq2Seq.Api.Problems;
using Seq2Seq.Api.Requests;
using Seq2Seq.Jobs.Keys;
using Seq2Seq.Jobs.Scheduling;

namespace Seq2Seq.Api.Models;

/// <summary><c>/models</c> and <c>/devices</c>: what the workers say of their models and slots.</summary>
internal static class ModelEndpoints
{
    private const int LongestFound = 100;

    public static void MapModels(this IEndpointRouteBuilder app)
    {
        RouteGroupBuilder group = app.MapGroup("").AddEndpointFilterFactory(StrictQuery.Create);
        group.MapGet("/models", ListAsync).WithTags("Models").WithName("ListModels").WithSummary("List the models");
        // A name may hold slashes, as names on the hub do.
        group
            .MapGet("/models/{**name}", GetAsync)
            .WithTags("Models")
            .WithName("GetModel")
            .WithSummary("Look at a model and its load reports")
            .RefusesWith(404);
        // Here the name is one piece of the path: its slashes are written %2F.
        RouteGroupBuilder model = group
            .MapGroup("/models/{name}")
            .WithTags("Models")
            .RequireAuthorization(KeyScopes.Admin)
            .RefusesWith(404);
        model.MapPost("/pause", PauseAsync).WithName("PauseModel").WithSummary("Pause a model's queue");
        model.MapPost("/resume", ResumeAsync).WithName("ResumeModel").WithSummary("Resume a model's queue");
        model.MapPost("/load", LoadAsync).WithName("LoadModel").WithSummary("Try again to load a model");
        group
            .MapGet("/devices", ListDevicesAsync)
            .WithTags("Devices")
            .WithName("ListDevices")
            .WithSummary("List the device slots");
    }

    /// <summary>Every configured model, where it stands and how it was loaded.</summary>
    private static async Task<Ok<ModelList>> ListAsync(ModelDirectory models, CancellationToken cancellationToken) =>
        TypedResults.Ok(new ModelList([.. (await models.ListModelsAsync(cancellationToken)).Select(ModelResource.Of)]));

    /// <summary>
    /// One model: its state on each slot, each load's report with every try and its error, and the languages that its jobs can
    /// ask for.
    /// </summary>
    private static async Task<Ok<ModelDetail>> GetAsync(
        string name,
        ModelDirectory models,
        CancellationToken cancellationToken
    ) => TypedResults.Ok(ModelDetail.Of(await FindAsync(name, models, cancellationToken)));

    /// <summary>Lets no shard of the model start, whichever job it is of; those that run go on to their end. Pausing twice equals once.</summary>
    private static async Task<Ok<ModelResource>> PauseAsync(
        string name,
        ModelDirectory models,
        CancellationToken cancellationToken
    )
    {
        ModelStatus model = await FindAsync(name, models, cancellationToken);
        await models.PauseAsync(model.Name, cancellationToken);
        return TypedResults.Ok(ModelResource.Of(await FindAsync(name, models, cancellationToken)));
    }

    /// <summary>Lets the model's shards start again. Resuming twice equals once.</summary>
    private static async Task<Ok<ModelResource>> ResumeAsync(
        string name,
        ModelDirectory models,
        CancellationToken cancellationToken
    )
    {
        ModelStatus model = await FindAsync(name, models, cancellationToken);
        await models.ResumeAsync(model.Name, cancellationToken);
        return TypedResults.Ok(ModelResource.Of(await FindAsync(name, models, cancellationToken)));
    }

    /// <summary>
    /// Asks every worker that could not load the model to try now, and not only after Jobs:ModelRetryInterval. Where it is loaded
    /// nothing happens. GET /models/{name} says what came of it.
    /// </summary>
    private static async Task<Accepted<ModelResource>> LoadAsync(
        string name,
        ModelDirectory models,
        CancellationToken cancellationToken
    )
    {
        ModelStatus model = await FindAsync(name, models, cancellationToken);
        await models.RetryLoadAsync(model.Name, cancellationToken);
        return TypedResults.Accepted($"/models/{Uri.EscapeDataString(model.Name)}", ModelResource.Of(model));
    }

    /// <exception cref="RequestException">There is no such model.</exception>
    public static async Task<ModelStatus> FindAsync(
        string name,
        ModelDirectory models,
        CancellationToken cancellationToken
    )
    {
        // Routing decodes all but the slash.
        string wanted = Uri.UnescapeDataString(name);
        IReadOnlyList<ModelStatus> all = await models.ListModelsAsync(cancellationToken);
        return all.FirstOrDefault(model => model.Name == wanted)
            ?? throw new RequestException(ProblemCodes.ModelNotFound, ProblemCodes.ModelNotFound.Meaning)
            {
                Field = "name",
                Found = wanted.Length <= LongestFound ? wanted : wanted[..LongestFound],
                Expected = string.Join(", ", all.Select(model => model.Name)),
            };
    }

    /// <summary>The device slots of all live workers, with their load.</summary>
    private static async Task<Ok<DeviceList>> ListDevicesAsync(
        ModelDirectory models,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        DateTimeOffset now = time.GetUtcNow();
        IReadOnlyList<SlotStatus> slots = await models.ListSlotsAsync(cancellationToken);
        IReadOnlyList<ModelStatus> all = await models.ListModelsAsync(cancellationToken);
        return TypedResults.Ok(new DeviceList([.. slots.Select(slot => DeviceResource.Of(slot, all, now))]));
    }
}
