using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using Seq2Seq.Inference.Devices;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Loading;

namespace Seq2Seq.Inference.Calibration;

/// <summary>
/// What the compute type <c>auto</c> comes to: the fastest that gives float32's tokens on a sample of lines, greedy, on the
/// device and the threads that the model is to have. It is found out once in a process for the same files, device, threads
/// and sample, so that slots that are alike compute alike.
/// </summary>
internal static class ComputeTypeCalibration
{
    private const int NewTokens = 32;
    private const int TimedRuns = 2;

    private static readonly Lock s_lock = new();
    private static readonly Dictionary<string, Entry> s_choices = new(StringComparer.Ordinal);

    /// <param name="options">What to load; its compute type is <c>auto</c>.</param>
    /// <param name="load">Loads the model in one type.</param>
    /// <param name="cancellationToken">Cancels between two runs.</param>
    /// <exception cref="ModelLoadException">The model can't be loaded in float32, or the sample can't be read.</exception>
    public static ComputeTypeChoice Choose(
        ModelLoadOptions options,
        Func<ComputeType, SequenceModel> load,
        CancellationToken cancellationToken
    )
    {
        // Without an identity loading says why; nothing is remembered.
        Entry entry = SharedNetworks.Identity(options) is { } identity
            ? EntryOf($"{identity}{options.Device}\n{options.Threads}\n{options.CalibrationFile}\n{Written(options)}")
            : new Entry();
        entry.Gate.Wait(cancellationToken);
        try
        {
            return entry.Choice ??= Calibrate(options, load, cancellationToken);
        }
        finally
        {
            entry.Gate.Release();
        }
    }

    private static ComputeTypeChoice Calibrate(
        ModelLoadOptions options,
        Func<ComputeType, SequenceModel> load,
        CancellationToken cancellationToken
    )
    {
        IReadOnlyList<SequenceInput> sample = ReadSample(options);
        List<ComputeTypeTrial> trials = [];
        IReadOnlyList<SequenceResult>? expected = null;
        foreach (ComputeType type in TypesOn(options.Device))
        {
            SequenceModel model = load(type);
            try
            {
                expected ??= Generate(model, sample, cancellationToken);
                if (expected.FirstOrDefault(result => result.Error is null) is null)
                {
                    string reason = expected[0].Error!.Message;
                    return new ComputeTypeChoice(type, $"no line of the sample can be decoded: {reason}");
                }

                trials.Add(Try(type, model, sample, expected, cancellationToken));
            }
            catch (GenerationParametersException exception)
            {
                // The model's own defaults ask for what is not supported: so will every line.
                return new ComputeTypeChoice(type, $"the sample can't be decoded: {exception.Message}");
            }
            finally
            {
                model.Unload();
            }
        }

        return new ComputeTypeChoice(
            ComputeTypeTrial.Best(trials),
            FormattableString.Invariant($"of {sample.Count} lines, {string.Join(", ", trials)}")
        );
    }

    private static ComputeTypeTrial Try(
        ComputeType type,
        SequenceModel model,
        IReadOnlyList<SequenceInput> sample,
        IReadOnlyList<SequenceResult> expected,
        CancellationToken cancellationToken
    )
    {
        IReadOnlyList<SequenceResult> results = Generate(model, sample, cancellationToken);
        int differing = results.Zip(expected).Count(pair => !TokensOf(pair.First).SequenceEqual(TokensOf(pair.Second)));
        if (differing > 0)
        {
            return new ComputeTypeTrial(type, differing, TokensPerSecond: 0);
        }

        double seconds = double.PositiveInfinity;
        for (int run = 0; run < TimedRuns; run++)
        {
            long started = Stopwatch.GetTimestamp();
            Generate(model, sample, cancellationToken);
            seconds = Math.Min(seconds, Stopwatch.GetElapsedTime(started).TotalSeconds);
        }

        return new ComputeTypeTrial(type, differing, results.Sum(result => TokensOf(result).Count()) / seconds);
    }

    private static IEnumerable<int> TokensOf(SequenceResult result) =>
        result.Outputs.SelectMany(output => output.TokenIds);

    /// <summary>Greedy outputs of the sample; waits for them, as loading does for everything.</summary>
    [SuppressMessage(
        "Usage",
        "VSTHRD002:Avoid problematic synchronous waits",
        Justification = "Loading blocks its caller; the lines are decoded on threads of their own."
    )]
    private static IReadOnlyList<SequenceResult> Generate(
        SequenceModel model,
        IReadOnlyList<SequenceInput> sample,
        CancellationToken cancellationToken
    )
    {
        GenerationParameters parameters = new()
        {
            NumBeams = 1,
            NumReturnSequences = 1,
            DoSample = false,
            MaxNewTokens = Math.Min(NewTokens, model.MaxTargetTokens ?? NewTokens),
        };
        return model.GenerateAsync(sample, parameters, cancellationToken).GetAwaiter().GetResult();
    }

    private static IReadOnlyList<SequenceInput> ReadSample(ModelLoadOptions options)
    {
        LoadJournal journal = new(options, TimeProvider.System);
        try
        {
            return CalibrationSample.Read(options.CalibrationFile);
        }
        catch (LoadRefusedException exception)
        {
            throw journal.Refuse(exception);
        }
    }

    private static ComputeType[] TypesOn(ComputeDevice device) =>
        device.IsCuda
            ? [ComputeType.Float32, ComputeType.Float16, ComputeType.BFloat16]
            : [ComputeType.Float32, ComputeType.Float16, ComputeType.Int8];

    private static long Written(ModelLoadOptions options) =>
        options.CalibrationFile is { } file ? File.GetLastWriteTimeUtc(file).Ticks : 0;

    private static Entry EntryOf(string key)
    {
        lock (s_lock)
        {
            if (!s_choices.TryGetValue(key, out Entry? entry))
            {
                s_choices.Add(key, entry = new Entry());
            }

            return entry;
        }
    }

    private sealed class Entry
    {
        /// <summary>Held by the one that finds it out.</summary>
        public SemaphoreSlim Gate { get; } = new(1);

        public ComputeTypeChoice? Choice { get; set; }
    }
}

/// <summary>A compute type, and why it was chosen.</summary>
internal sealed record ComputeTypeChoice(ComputeType ComputeType, string Reason);
