using Seq2Seq.Inference.Weights;

namespace Seq2Seq.Inference.Loading;

/// <summary>Keeps the record of a load while it goes on, and makes its report.</summary>
internal sealed class LoadJournal(ModelLoadOptions options, TimeProvider time)
{
    private const int MaxMessageLength = 1000;

    private readonly long _start = time.GetTimestamp();
    private readonly List<LoadTry> _tries = [];
    private readonly List<string> _notes = [];
    private readonly List<LoadRefusedException> _errors = [];
    private string? _modelType;

    public void Read(ModelConfiguration configuration)
    {
        _modelType = configuration.ModelType;
        _notes.AddRange(configuration.Notes);
    }

    /// <summary>Runs one try and records how it ended.</summary>
    public T Try<T>(LoadStrategy strategy, string target, Func<T> attempt)
    {
        long start = time.GetTimestamp();
        try
        {
            T result = attempt();
            Record(error: null);
            return result;
        }
        catch (LoadRefusedException exception)
        {
            _errors.Add(exception);
            Record(exception);
            throw;
        }

        void Record(LoadRefusedException? error) =>
            _tries.Add(
                new LoadTry
                {
                    Strategy = strategy,
                    Target = target,
                    Code = error?.Code,
                    Error = error?.Message,
                    Seconds = time.GetElapsedTime(start).TotalSeconds,
                }
            );
    }

    /// <summary>The report of a load that succeeded: with the last try.</summary>
    public LoadReport Loaded(WeightsSummary weights) =>
        Report(LoadOutcome.Loaded) with
        {
            Strategy = _tries[^1].Strategy,
            Parameters = weights.ParameterCount,
            Bytes = weights.Bytes,
            WeightsDigest = weights.Digest,
            Files = weights.Files,
            UnusedTensors = weights.UnusedTensors,
            Notes = [.. _notes, .. weights.Notes],
        };

    /// <summary>The exception of a load that failed: the first error leads, what other tries said follows.</summary>
    public ModelLoadException Refuse(LoadRefusedException last)
    {
        if (_errors.Count == 0)
        {
            _errors.Add(last);
        }

        return new ModelLoadException(
            Report(LoadOutcome.Refused) with
            {
                Code = _errors[0].Code,
                Message = string.Join(
                    " Then: ",
                    _errors.Select(error => error.Message).Distinct(StringComparer.Ordinal).Select(Shorten)
                ),
                Notes = _notes,
            },
            _errors[0]
        );
    }

    private static string Shorten(string message) =>
        message.Length > MaxMessageLength ? $"{message[..MaxMessageLength]}…" : message;

    private LoadReport Report(LoadOutcome outcome) =>
        new()
        {
            Model = options.Name,
            Folder = options.Folder,
            Outcome = outcome,
            Tries = [.. _tries],
            ModelType = _modelType,
            Device = options.Device.ToString(),
            ComputeType = options.ComputeType,
            Seconds = time.GetElapsedTime(_start).TotalSeconds,
        };
}
