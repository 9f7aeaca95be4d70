using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Microsoft.Extensions.Options;
using Seq2Seq.Inference.Devices;
using Seq2Seq.Jobs.Scheduling;

namespace Seq2Seq.Jobs.Configuration;

/// <summary>
/// Checks the sections <c>Jobs</c>, <c>Models</c> and <c>Slots</c> together, so that one start lists every error. Each names the
/// setting, what was found and what was expected.
/// </summary>
internal sealed class OptionsCheck(IOptions<ModelsOptions> models, IOptions<SlotsOptions> slots)
    : IValidateOptions<JobsOptions>
{
    private static readonly string[] _computeTypes = ["auto", "float32", "float16", "bfloat16", "int8"];

    public ValidateOptionsResult Validate(string? name, JobsOptions options)
    {
        List<string> errors =
        [
            .. Annotations(options, JobsOptions.SectionName),
            .. Times(options),
            .. models.Value.SelectMany(model => Model(model.Key, model.Value)),
            .. slots.Value.SelectMany(Slot),
        ];
        errors.AddRange(
            slots
                .Value.GroupBy(slot => slot.Device, StringComparer.Ordinal)
                .Where(same => same.Count() > 1)
                .Select(same =>
                    $"{SlotsSection}: '{same.Key}' is there {same.Count()} times; a slot's device is its name."
                )
        );
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }

    private const string SlotsSection = SlotOptions.SectionName;

    private static IEnumerable<string> Annotations(object instance, string path)
    {
        List<ValidationResult> results = [];
        Validator.TryValidateObject(instance, new ValidationContext(instance), results, validateAllProperties: true);
        return results.Select(result =>
        {
            string property = result.MemberNames.First();
            object? found = instance.GetType().GetProperty(property)!.GetValue(instance);
            return string.Create(
                CultureInfo.InvariantCulture,
                $"{path}:{property} is '{found}': {result.ErrorMessage}"
            );
        });
    }

    private static IEnumerable<string> Times(JobsOptions options)
    {
        // Hangfire's sign of life on a fetched job ends when draining begins; past its invisibility the job runs twice.
        var longestDrain = 0.8 * HangfireStorage.InvisibilityTimeout;
        (string Name, TimeSpan Value, TimeSpan Least, TimeSpan Most)[] times =
        [
            (nameof(options.Lease), options.Lease, TimeSpan.FromSeconds(3), TimeSpan.FromHours(1)),
            (nameof(options.RetryDelay), options.RetryDelay, TimeSpan.Zero, TimeSpan.FromHours(1)),
            (nameof(options.DrainTime), options.DrainTime, TimeSpan.Zero, longestDrain),
            (nameof(options.Retention), options.Retention, TimeSpan.FromMinutes(1), TimeSpan.FromDays(3650)),
            (
                nameof(options.ModelRetryInterval),
                options.ModelRetryInterval,
                TimeSpan.FromSeconds(1),
                TimeSpan.FromDays(1)
            ),
            (nameof(options.NewerWorkerWait), options.NewerWorkerWait, TimeSpan.Zero, TimeSpan.FromDays(1)),
        ];
        return times
            .Where(time => time.Value < time.Least || time.Value > time.Most)
            .Select(time =>
                $"{JobsOptions.SectionName}:{time.Name} is '{time.Value}'; expected {time.Least} to {time.Most}."
            );
    }

    private IEnumerable<string> Model(string name, ModelOptions model)
    {
        string path = $"{ModelOptions.SectionName}:{name}";
        foreach (string error in Annotations(model, path))
        {
            yield return error;
        }

        if (!_computeTypes.Contains(model.ComputeType))
        {
            yield return Unknown($"{path}:{nameof(model.ComputeType)}", model.ComputeType, _computeTypes);
        }

        if (model.CalibrationFile is not null && model.ComputeType != ComputeType.Auto.ToName())
        {
            yield return $"{path}:{nameof(model.CalibrationFile)} is set, but {nameof(model.ComputeType)} is '{model.ComputeType}'; expected 'auto'.";
        }

        if (model.Device != SlotPlan.AnyDevice && !IsDevice(model.Device))
        {
            yield return $"{path}:{nameof(model.Device)} is '{model.Device}'; expected 'auto', 'cpu', 'cpu:N' or 'cuda:N'.";
        }

        for (int i = 0; i < model.Fallback.Count; i++)
        {
            foreach (string error in Fallback(name, $"{path}:{nameof(model.Fallback)}:{i}", model.Fallback[i]))
            {
                yield return error;
            }
        }
    }

    private IEnumerable<string> Fallback(string name, string path, FallbackOptions step)
    {
        if (step.Model is null && step.Device is null && step.ComputeType is null)
        {
            yield return $"{path} is empty; expected {nameof(step.Device)}, {nameof(step.ComputeType)} or {nameof(step.Model)}.";
        }

        if (step.Model is not null && !models.Value.ContainsKey(step.Model))
        {
            yield return Unknown($"{path}:{nameof(step.Model)}", step.Model, [.. models.Value.Keys]);
        }

        if (string.Equals(step.Model, name, StringComparison.OrdinalIgnoreCase))
        {
            yield return $"{path}:{nameof(step.Model)} is '{step.Model}', the model itself.";
        }

        if (step.ComputeType is not null && !_computeTypes.Contains(step.ComputeType))
        {
            yield return Unknown($"{path}:{nameof(step.ComputeType)}", step.ComputeType, _computeTypes);
        }

        if (step.Device is not null && !IsDevice(step.Device))
        {
            yield return $"{path}:{nameof(step.Device)} is '{step.Device}'; expected 'cpu', 'cpu:N' or 'cuda:N'.";
        }
    }

    private IEnumerable<string> Slot(SlotOptions slot, int index)
    {
        string path = string.Create(CultureInfo.InvariantCulture, $"{SlotsSection}:{index}");
        foreach (string error in Annotations(slot, path))
        {
            yield return error;
        }

        if (slot.Device.Length > 0 && !IsDevice(slot.Device))
        {
            yield return $"{path}:{nameof(slot.Device)} is '{slot.Device}'; expected 'cpu', 'cpu:N' or 'cuda:N'.";
        }

        foreach (string model in slot.Models.Where(model => !models.Value.ContainsKey(model)))
        {
            yield return Unknown($"{path}:{nameof(slot.Models)}", model, [.. models.Value.Keys]);
        }
    }

    private static string Unknown(string path, string found, string[] expected) =>
        expected.Length == 0
            ? $"{path} is '{found}', but no models are configured."
            : $"{path} is '{found}'; expected one of: {string.Join(", ", expected)}.";

    private static bool IsDevice(string text)
    {
        try
        {
            ComputeDevice.Parse(text);
            return true;
        }
        catch (FormatException)
        {
            return false;
        }
    }
}
