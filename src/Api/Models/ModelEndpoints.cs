using Microsoft.AspNetCore.Http.HttpResults;
using Seq2Seq.Api.OpenApi;
using Seq2Seq.Api.Problems;
using Seq2Seq.Api.Requests;
using Seq2Seq.Jobs.Scheduling;

namespace Seq2Seq.Api.Models;

/// <summary><c>/models</c> and <c>/devices</c>: what the workers say of their models and slots.</summary>
internal static class ModelEndpoints
{
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
        group
            .MapGet("/devices", ListDevicesAsync)
            .WithTags("Devices")
            .WithName("ListDevices")
            .WithSummary("List the device slots");
    }

    /// <summary>Every configured model, where it stands and how it was loaded.</summary>
    private static async Task<Ok<ModelList>> ListAsync(ModelDirectory models, CancellationToken cancellationToken) =>
        TypedResults.Ok(new ModelList([.. (await models.ListModelsAsync(cancellationToken)).Select(ModelResource.Of)]));

    /// <summary>One model: its state on each slot, and each load's report with every try and its error.</summary>
    private static async Task<Results<Ok<ModelResource>, ProblemResult>> GetAsync(
        string name,
        ModelDirectory models,
        CancellationToken cancellationToken
    )
    {
        // Routing decodes all but the slash.
        string wanted = Uri.UnescapeDataString(name);
        IReadOnlyList<ModelStatus> all = await models.ListModelsAsync(cancellationToken);
        return all.FirstOrDefault(model => model.Name == wanted) is { } found
            ? TypedResults.Ok(ModelResource.Of(found))
            : new ProblemResult(
                Problem.Of(ProblemCodes.ModelNotFound) with
                {
                    Field = "name",
                    Found = wanted.Length <= 100 ? wanted : wanted[..100],
                    Expected = string.Join(", ", all.Select(model => model.Name)),
                }
            );
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
        return TypedResults.Ok(new DeviceList([.. slots.Select(slot => DeviceResource.Of(slot, now))]));
    }
}
