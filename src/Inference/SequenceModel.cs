using System.Diagnostics.CodeAnalysis;
using Seq2Seq.Inference.Calibration;
using Seq2Seq.Inference.Devices;
using Seq2Seq.Inference.Families;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Generation.Constraints;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.LongLines;
using Seq2Seq.Inference.Scheduling;

namespace Seq2Seq.Inference;

/// <summary>
/// The door of this project: a loaded sequence-to-sequence model with its tokenizer, bound to one device. Calls from
/// many threads are welcome; their lines are decoded together. A line's result does not depend on its neighbours.
/// </summary>
public sealed class SequenceModel : IAsyncDisposable
{
    /// <summary>Lines that are tokenised before they are handed over, so that decoding starts while the rest is read.</summary>
    private const int LinesPerHandover = 256;

    /// <summary>A piece's place in its line, in the bits above the line's number.</summary>
    private const int PieceShift = 40;

    private readonly LoadedNetwork _loaded;
    private readonly SourceReader _sources;
    private readonly RunningBatch _batch;
    private readonly bool _computesEqualLinesOnce;
    private readonly TimeProvider _time;

    private SequenceModel(LoadedNetwork loaded, SourceReader sources, RunningBatch batch, ModelLoadOptions options)
    {
        _loaded = loaded;
        _sources = sources;
        _batch = batch;
        _computesEqualLinesOnce = options.Savings.EqualLines;
        _time = options.Time;
        Report = loaded.Report with { Languages = sources.Languages };
    }

    /// <summary>How this model was loaded.</summary>
    public LoadReport Report { get; private set; }

    /// <summary>Most tokens of an output; null where the decoder's positions have no end.</summary>
    internal int? MaxTargetTokens => _loaded.Network.Shape.MaxTargetTokens;

    /// <summary>
    /// Loads a model: direct, then config-first. Reads files only: no network, no child process. The compute type <c>auto</c> is
    /// found out by decoding a sample of lines in each type, the first time in a process.
    /// </summary>
    /// <exception cref="ModelLoadException">No strategy filled every weight; the report has every try.</exception>
    public static SequenceModel Load(ModelLoadOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.ComputeType != ComputeType.Auto.ToName())
        {
            return LoadAs(options, cancellationToken);
        }

        ComputeTypeChoice choice = ComputeTypeCalibration.Choose(
            options,
            type => LoadAs(options with { ComputeType = type.ToName() }, cancellationToken),
            cancellationToken
        );
        SequenceModel model = LoadAs(options with { ComputeType = choice.ComputeType.ToName() }, cancellationToken);
        model.Report = model.Report with
        {
            Notes = [.. model.Report.Notes, $"compute type auto: {choice.Reason}: {choice.ComputeType.ToName()}."],
        };
        return model;
    }

    [SuppressMessage(
        "Usage",
        "VSTHRD002:Avoid problematic synchronous waits",
        Justification = "Loading is synchronous, on a thread of its own; the tokenizer is read beside it."
    )]
    private static SequenceModel LoadAs(ModelLoadOptions options, CancellationToken cancellationToken)
    {
        // On another core, while one thread loads torch. What the load refuses is not waited for.
        Task<FolderTokenizer> tokenizer = Task.Run(() => FolderTokenizer.Load(options.Folder), cancellationToken);
        LoadedNetwork loaded = SharedNetworks.Load(options, FamilyRegistry.Default, cancellationToken);
        int threads = options.Threads == 0 ? Environment.ProcessorCount : options.Threads;
        ComputeCores cores = options.Cores is null || options.Device.IsCuda ? new ComputeCores(threads) : options.Cores;
        return new SequenceModel(
            loaded,
            new SourceReader(tokenizer.GetAwaiter().GetResult(), loaded.Network, options.MaxSourceTokens),
            new RunningBatch(
                loaded.Network,
                cores,
                BatchLimits.For(loaded.Report.Parameters),
                options.Savings,
                $"decode {options.Name}"
            ),
            options
        );
    }

    /// <summary>
    /// Checks parameters against the model, once for a whole job. <see cref="GenerationParametersCheck"/> checks what can
    /// be checked without a model.
    /// </summary>
    /// <exception cref="GenerationParametersException">A value is out of range or not supported; names it.</exception>
    public void Validate(GenerationParameters parameters) => Resolve(parameters);

    /// <summary>
    /// Generates for each input, in order. A line's expected failure is a value in its result. Equal lines are computed
    /// once, unless outputs are drawn at random (<see cref="LosslessSavings"/>). An input with a target is scored instead: its one output is the target.
    /// </summary>
    /// <exception cref="GenerationParametersException">A value is out of range or not supported; names it.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled: its lines leave before the next step.</exception>
    /// <exception cref="ObjectDisposedException">The model was unloaded.</exception>
    public Task<IReadOnlyList<SequenceResult>> GenerateAsync(
        IReadOnlyList<SequenceInput> inputs,
        GenerationParameters parameters,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(inputs);
        (GenerationSettings settings, TextSettings texts) = Resolve(parameters);
        // Reading the lines is work: not on the caller's thread.
        return Task.Run(() => GenerateAsync(inputs, settings, texts, cancellationToken), cancellationToken);
    }

    public ValueTask DisposeAsync()
    {
        Unload();
        return ValueTask.CompletedTask;
    }

    /// <summary>Stops within a step and frees the memory.</summary>
    internal void Unload()
    {
        _batch.Dispose();
        _loaded.Dispose();
    }

    private async Task<IReadOnlyList<SequenceResult>> GenerateAsync(
        IReadOnlyList<SequenceInput> inputs,
        GenerationSettings settings,
        TextSettings texts,
        CancellationToken cancellationToken
    )
    {
        Dictionary<SequenceInput, Task<SequenceResult>> distinct = new(SequenceInputComparer.Instance);
        var started = new Task<SequenceResult>[inputs.Count];
        LineCall call = new(inputs.Count);
        List<LineRequest> handover = [];
        bool findsEqual = _computesEqualLinesOnce && settings.Sampling is null;
        for (int i = 0; i < inputs.Count; i++)
        {
            SequenceInput input = inputs[i];
            if (findsEqual && distinct.TryGetValue(input, out Task<SequenceResult>? equal))
            {
                started[i] = equal;
                continue;
            }

            started[i] = Start(input, input.Line ?? i, settings, texts, handover, cancellationToken);
            distinct[input] = started[i];
            if (handover.Count >= LinesPerHandover)
            {
                HandOver(call, handover);
                cancellationToken.ThrowIfCancellationRequested();
            }
        }

        HandOver(call, handover);
        return await Task.WhenAll(started);
    }

    private Task<SequenceResult> Start(
        SequenceInput input,
        long line,
        GenerationSettings settings,
        TextSettings texts,
        List<LineRequest> handover,
        CancellationToken cancellationToken
    )
    {
        if (
            !_sources.TryReadSource(input, texts, out IReadOnlyList<SourcePiece> pieces, out SequenceResult? failure)
            || !_sources.TryReadTarget(input, texts, out IReadOnlyList<int>? target, out failure)
            || !_sources.TryReadPrefix(input, texts, ref settings, out failure)
        )
        {
            return Task.FromResult(failure);
        }

        if (target is not null && texts.StartsTargetsFromTheirEnd)
        {
            settings = settings with { DecoderStartTokenId = target[^1] };
        }

        LineRequest[] requests =
        [
            .. pieces.Select(
                (piece, i) =>
                    new LineRequest(piece.Tokens, settings, cancellationToken)
                    {
                        // Each piece draws its own random numbers.
                        Line = line + ((long)i << PieceShift),
                        Target = target,
                    }
            ),
        ];
        handover.AddRange(requests);
        return FinishAsync(pieces, requests, settings);
    }

    private void HandOver(LineCall call, List<LineRequest> handover)
    {
        if (handover.Count > 0)
        {
            _batch.Add(call, [.. handover]);
            handover.Clear();
        }
    }

    private async Task<SequenceResult> FinishAsync(
        IReadOnlyList<SourcePiece> pieces,
        LineRequest[] requests,
        GenerationSettings settings
    )
    {
        IReadOnlyList<SequenceOutput>[] outputs = await Task.WhenAll(requests.Select(request => request.Outputs));
        if (requests[0].Target is null && settings.AllowedOutputs is { } allowed)
        {
            outputs[0] = Allowed(outputs[0], allowed, settings);
            if (outputs[0].Count == 0)
            {
                return SequenceResult.Failed(
                    LineErrorCodes.NoAllowedOutput,
                    "The other parameters leave none of 'allowed_outputs'."
                );
            }
        }

        return new SequenceResult
        {
            Outputs =
                outputs.Length == 1
                    ? _sources.WithText(outputs[0])
                    : [PieceOutputs.Join(pieces, [.. outputs.SelectMany(_sources.WithText)], settings)],
            Truncation = pieces[0].Truncation,
            IsSampled = requests[0].Target is null && settings.Sampling is not null,
        };
    }

    /// <summary>
    /// Where other parameters forbid every token that could follow, a search goes on with one that may not; and where there are
    /// fewer members than beams, some beams are doubles. Neither is an output.
    /// </summary>
    private static IReadOnlyList<SequenceOutput> Allowed(
        IReadOnlyList<SequenceOutput> outputs,
        OutputTrie allowed,
        GenerationSettings settings
    )
    {
        IEnumerable<SequenceOutput> members = outputs.Where(allowed.Allows);
        return settings.NumBeams > 1
            ? [.. members.DistinctBy(output => string.Join(' ', output.TokenIds), StringComparer.Ordinal)]
            : [.. members];
    }

    private (GenerationSettings Settings, TextSettings Texts) Resolve(GenerationParameters parameters)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        NetworkShape shape = _loaded.Network.Shape;
        TextSettings texts = _sources.Resolve(parameters);
        GenerationSettings settings = GenerationSettings.Resolve(
            texts is { IsLanguagePrompt: false, LanguageToken: { } token }
                ? parameters with
                {
                    ForcedBosTokenId = token,
                }
                : parameters,
            _loaded.Network.GenerationDefaults,
            shape.VocabularySize,
            shape.MaxTargetTokens,
            _sources.Parameters with
            {
                Target = texts.Target,
            },
            texts.IsLanguagePrompt ? texts.LanguageToken : null
        ) with
        {
            Time = _time,
        };
        return settings.GlobalTokens == 0 || shape.HasGlobalAttention
            ? (settings, texts)
            : throw new GenerationParametersException(
                "global_attention",
                $"'global_attention' is \"first_token\"; expected \"none\" for a model of {_loaded.Report.ModelType}: that is an option of led."
            );
    }
}
