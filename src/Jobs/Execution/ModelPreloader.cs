using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Seq2Seq.Inference.Devices;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Jobs.Configuration;
using Seq2Seq.Jobs.Scheduling;

namespace Seq2Seq.Jobs.Execution;

/// <summary>
/// Puts a model onto a slot: as configured (direct, then config-first, inside the load), then the operator's policy step by
/// step. A model counts as loaded when it has also generated something: a few lines that warm it up and measure it. Every
/// load leaves its report, refused ones too.
/// </summary>
internal sealed partial class ModelPreloader(
    LoadModel load,
    ModelProbe probe,
    ModelLoadStore store,
    IOptions<ModelsOptions> models,
    IHostEnvironment environment,
    TimeProvider time,
    ILogger<ModelPreloader> logger
)
{
    /// <summary>Code of a load that ended in an error that loading does not know.</summary>
    public const string UnexpectedCode = "model_load_failed";

    /// <summary>Code of a model that was loaded but can't generate.</summary>
    public const string ProbeCode = "model_probe_failed";

    /// <exception cref="RefusedModelException">Neither the configuration nor the policy led to a model; the report has every try.</exception>
    public async Task<PreloadedModel> PreloadAsync(string name, SlotPlan slot, CancellationToken cancellationToken)
    {
        var model = models.Value[name];
        List<LoadTry> tries = [];
        ModelLoadException? first = null;
        foreach (var attempt in Attempts(name, model, slot.Device))
        {
            try
            {
                var (loaded, rate) = await LoadAsync(attempt, slot, cancellationToken);
                var report = loaded.Report with
                {
                    Model = name,
                    Tries = [.. tries, .. Describe(attempt, loaded.Report.Tries)],
                };
                long id = await store.AddAsync(report, attempt.ServedBy, slot.Name, cancellationToken);
                LogLoaded(logger, name, attempt.ServedBy, slot.Name, report.Strategy, report.Seconds, rate ?? 0);
                return new PreloadedModel(name, attempt.ServedBy, id, rate, loaded with { Report = report });
            }
            catch (ModelLoadException exception)
            {
                LogRefused(logger, name, slot.Name, attempt.Target, exception.Code, exception.Report.Message ?? "");
                tries.AddRange(Describe(attempt, exception.Report.Tries));
                first ??= exception;
            }
        }

        var refused = first!.Report with { Model = name, Tries = tries };
        long refusedId = await store.AddAsync(refused, name, slot.Name, cancellationToken);
        throw new RefusedModelException(refusedId, new ModelLoadException(refused, first.InnerException));
    }

    /// <summary>As configured, then each step of the policy.</summary>
    private IEnumerable<Attempt> Attempts(string name, ModelOptions model, ComputeDevice device)
    {
        yield return new Attempt(name, model, device, model.ComputeType, IsPolicy: false);
        foreach (var step in model.Fallback)
        {
            yield return step.Model is { } other
                ? new Attempt(other, models.Value[other], device, models.Value[other].ComputeType, IsPolicy: true)
                : new Attempt(
                    name,
                    model,
                    step.Device is null ? device : ComputeDevice.Parse(step.Device),
                    step.ComputeType ?? model.ComputeType,
                    IsPolicy: true
                );
        }
    }

    private async Task<(LoadedModel Model, double? LinesPerSecond)> LoadAsync(
        Attempt attempt,
        SlotPlan slot,
        CancellationToken cancellationToken
    )
    {
        var options = new ModelLoadOptions
        {
            Name = attempt.ServedBy,
            Folder = Path.Combine(environment.ContentRootPath, attempt.Model.Folder),
            Device = attempt.Device,
            ComputeType = attempt.ComputeType,
            AsPublished = attempt.Model.AsPublished,
            Savings = attempt.Model.Savings,
            CalibrationFile = attempt.Model.CalibrationFile is { } file
                ? Path.Combine(environment.ContentRootPath, file)
                : null,
            Threads = slot.Threads,
            Cores = slot.Cores,
        };
        var start = time.GetTimestamp();
        LoadedModel model;
        try
        {
            // Loading computes for seconds; the caller's thread may have other slots to look after.
            model = await Task.Run(() => load(options, cancellationToken), cancellationToken);
        }
        catch (Exception exception) when (exception is not (ModelLoadException or OperationCanceledException))
        {
            throw Refuse(options, UnexpectedCode, exception, time.GetElapsedTime(start));
        }

        try
        {
            return (model, await probe.MeasureAsync(model, cancellationToken));
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            await model.Dispose();
            throw Refuse(options, ProbeCode, exception, time.GetElapsedTime(start));
        }
    }

    private static ModelLoadException Refuse(ModelLoadOptions options, string code, Exception cause, TimeSpan elapsed)
    {
        string message = $"{cause.GetType().Name}: {cause.Message}";
        var report = new LoadReport
        {
            Model = options.Name,
            Folder = options.Folder,
            Outcome = LoadOutcome.Refused,
            Code = code,
            Message = message,
            Device = options.Device.ToString(),
            ComputeType = options.ComputeType,
            Seconds = elapsed.TotalSeconds,
            Tries =
            [
                new LoadTry
                {
                    Strategy = LoadStrategy.Direct,
                    Target = options.Folder,
                    Code = code,
                    Error = message,
                    Seconds = elapsed.TotalSeconds,
                },
            ],
        };
        return new ModelLoadException(report, cause);
    }

    private static IEnumerable<LoadTry> Describe(Attempt attempt, IReadOnlyList<LoadTry> tries) =>
        attempt.IsPolicy ? tries.Select(one => one with { Target = $"{attempt.Target}: {one.Target}" }) : tries;

    [LoggerMessage(
        2030,
        LogLevel.Information,
        "Model {Model} stands on slot {Slot}, served by {ServedBy} ({Strategy}, {Seconds:F1} s, {Rate:F0} lines/s)"
    )]
    private static partial void LogLoaded(
        ILogger logger,
        string model,
        string servedBy,
        string slot,
        LoadStrategy? strategy,
        double seconds,
        double rate
    );

    [LoggerMessage(2031, LogLevel.Error, "Model {Model} on slot {Slot} was refused ({Target}): {Code}: {Reason}")]
    private static partial void LogRefused(
        ILogger logger,
        string model,
        string slot,
        string target,
        string code,
        string reason
    );

    private sealed record Attempt(
        string ServedBy,
        ModelOptions Model,
        ComputeDevice Device,
        string ComputeType,
        bool IsPolicy
    )
    {
        public string Target => $"{ServedBy} on {Device} as {ComputeType}";
    }
}
