using System.ComponentModel;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Jobs.Scheduling;

namespace Seq2Seq.Api.Models;

/// <summary>A configured model over all slots of all live workers.</summary>
internal record ModelResource
{
    public required string Name { get; init; }

    [Description("loading, ready (on at least one slot) or failed (on every slot that should hold it).")]
    public required string State { get; init; }

    [Description("Whether its queue is paused: no shard of it starts until it is resumed.")]
    public required bool Paused { get; init; }

    public required long ShardsWaiting { get; init; }

    public required long ShardsRunning { get; init; }

    public required IReadOnlyList<ModelOnSlotResource> Slots { get; init; }

    public static ModelResource Of(ModelStatus model) =>
        new()
        {
            Name = model.Name,
            State = model.State,
            Paused = model.IsPaused,
            ShardsWaiting = model.ShardsWaiting,
            ShardsRunning = model.ShardsRunning,
            Slots = [.. model.Slots.Select(ModelOnSlotResource.Of)],
        };
}

/// <summary>A model with the languages that its jobs can ask for.</summary>
internal sealed record ModelDetail : ModelResource
{
    [Description("What the parameters src_lang and tgt_lang can be; null until the model is ready on a slot.")]
    public required LanguagesResource? Languages { get; init; }

    public static new ModelDetail Of(ModelStatus model) =>
        new(ModelResource.Of(model))
        {
            Languages = model.Languages is { } languages
                ? new LanguagesResource(languages.Source, languages.Target)
                : null,
        };

    [System.Diagnostics.CodeAnalysis.SetsRequiredMembers]
    private ModelDetail(ModelResource model)
        : base(model) => Languages = null;
}

/// <summary>Language codes in the model's own spelling; empty where there is nothing to choose.</summary>
internal sealed record LanguagesResource(
    [property: Description("Values of src_lang.")] IReadOnlyList<string> Source,
    [property: Description("Values of tgt_lang.")] IReadOnlyList<string> Target
);

/// <summary>A model on one slot, with how it was loaded there.</summary>
internal sealed record ModelOnSlotResource
{
    public required string Worker { get; init; }

    public required string Slot { get; init; }

    [Description("loading, ready, failed, or elsewhere (placed on another device by measurement).")]
    public required string State { get; init; }

    [Description("The model that serves: another where the operator's policy fell back to it.")]
    public string? ServedBy { get; init; }

    [Description("What a few batches after loading measured; null when they were not run.")]
    public double? LinesPerSecond { get; init; }

    [Description("When loading is tried again; null unless failed.")]
    public DateTimeOffset? RetryAt { get; init; }

    [Description("Every try of the load with its error; null while loading.")]
    public LoadReport? Report { get; init; }

    public static ModelOnSlotResource Of(ModelOnSlot slot) =>
        new()
        {
            Worker = slot.Worker,
            Slot = slot.Slot,
            State = slot.State,
            ServedBy = slot.ServedBy,
            LinesPerSecond = slot.LinesPerSecond,
            RetryAt = slot.RetryAt,
            // The languages are the model's: see ModelDetail.
            Report = slot.Report is { } report ? report with { Languages = null } : null,
        };
}

internal sealed record ModelList(IReadOnlyList<ModelResource> Models);
