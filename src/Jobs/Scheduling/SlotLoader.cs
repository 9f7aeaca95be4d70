using Microsoft.Extensions.Options;
using Seq2Seq.Jobs.Configuration;
using Seq2Seq.Jobs.Execution;

namespace Seq2Seq.Jobs.Scheduling;

/// <summary>
/// Loads what a slot is to hold, model by model. A slot with one model or more is ready; a slot without any says which was
/// refused and why.
/// </summary>
internal sealed class SlotLoader(
    ModelPreloader preloader,
    WorkerRegistry registry,
    IOptions<JobsOptions> options,
    TimeProvider time
)
{
    public async Task LoadAsync(DeviceSlot slot, CancellationToken cancellationToken)
    {
        foreach (string model in slot.Plan.Models)
        {
            await LoadAsync(slot, model, cancellationToken);
            await registry.TellAsync(cancellationToken);
        }

        slot.Judge();
    }

    /// <summary>Tries models again whose time has come.</summary>
    /// <returns>Whether one joined.</returns>
    public async Task<bool> RetryAsync(DeviceSlot slot, CancellationToken cancellationToken)
    {
        var due = slot
            .Models.Where(model => model.Value.RetryAt <= time.GetUtcNow())
            .Select(model => model.Key)
            .ToList();
        bool joined = false;
        foreach (string model in due)
        {
            joined |= await LoadAsync(slot, model, cancellationToken);
        }

        if (due.Count > 0)
        {
            slot.Judge();
            await registry.TellAsync(cancellationToken);
        }

        return joined;
    }

    private async Task<bool> LoadAsync(DeviceSlot slot, string name, CancellationToken cancellationToken)
    {
        try
        {
            var preloaded = await preloader.PreloadAsync(name, slot.Plan, cancellationToken);
            slot.SetModel(
                name,
                new ModelOnDevice
                {
                    State = ModelState.Ready,
                    Preloaded = preloaded,
                    LoadId = preloaded.LoadId,
                    LinesPerSecond = preloaded.LinesPerSecond,
                }
            );
            return true;
        }
        catch (RefusedModelException exception)
        {
            slot.SetModel(
                name,
                new ModelOnDevice
                {
                    State = ModelState.Failed,
                    LoadId = exception.LoadId,
                    ErrorCode = exception.Refusal.Code,
                    ErrorMessage = exception.Refusal.Message,
                    RetryAt = time.GetUtcNow() + options.Value.ModelRetryInterval,
                }
            );
            return false;
        }
    }
}
