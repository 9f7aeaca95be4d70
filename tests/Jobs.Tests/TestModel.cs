using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Jobs.Execution;

namespace Seq2Seq.Jobs.Tests;

/// <summary>
/// Stands for a loaded model: answers each line in capitals, and does to the worker what a test wants (fail, wait, count).
/// </summary>
internal sealed class TestModel
{
    private int _loads;
    private long _lines;
    private int _disposed;

    /// <summary>Called before each batch; may throw or wait.</summary>
    public Func<IReadOnlyList<string>, CancellationToken, Task> BeforeBatch { get; set; } =
        (_, _) => Task.CompletedTask;

    /// <summary>Called when a load is probed; may throw.</summary>
    public Action BeforeProbe { get; set; } = () => { };

    /// <summary>Called at each load, with its number from 1; may throw.</summary>
    public Action<ModelLoadOptions, int> BeforeLoad { get; set; } = (_, _) => { };

    public int Loads => _loads;

    public int Disposed => _disposed;

    /// <summary>Lines computed, those of the probe after loading apart.</summary>
    public long Lines => _lines;

    /// <summary>What this model makes of a line.</summary>
    public static string Answer(string text) => text.ToUpperInvariant();

    /// <summary>The refusal of a load, as the engine would word it.</summary>
    public static ModelLoadException Refusal(ModelLoadOptions options, string code, string message) =>
        new(
            new LoadReport
            {
                Model = options.Name,
                Folder = options.Folder,
                Outcome = LoadOutcome.Refused,
                Code = code,
                Message = message,
                Tries =
                [
                    new LoadTry
                    {
                        Strategy = LoadStrategy.Direct,
                        Target = "model.safetensors",
                        Code = code,
                        Error = message,
                    },
                ],
            },
            new InvalidDataException(message)
        );

    public LoadedModel Load(ModelLoadOptions options)
    {
        BeforeLoad(options, Interlocked.Increment(ref _loads));
        var report = new LoadReport
        {
            Model = options.Name,
            Folder = options.Folder,
            Outcome = LoadOutcome.Loaded,
            Strategy = LoadStrategy.Direct,
            Device = options.Device.ToString(),
            ComputeType = options.ComputeType,
            Tries = [new LoadTry { Strategy = LoadStrategy.Direct, Target = "model.safetensors" }],
        };
        return new LoadedModel(
            report,
            GenerateAsync,
            () =>
            {
                Interlocked.Increment(ref _disposed);
                return ValueTask.CompletedTask;
            }
        )
        {
            ComputesEqualLinesOnce = options.Savings.EqualLines,
        };
    }

    private async Task<IReadOnlyList<SequenceResult>> GenerateAsync(
        IReadOnlyList<SequenceInput> inputs,
        GenerationParameters parameters,
        CancellationToken cancellationToken
    )
    {
        List<string> texts = [.. inputs.Select(input => input.Text ?? "")];
        if (texts.Contains("test test"))
        {
            BeforeProbe();
        }
        else
        {
            Interlocked.Add(ref _lines, texts.Count);
            await BeforeBatch(texts, cancellationToken);
        }

        return
        [
            .. texts.Select(text => new SequenceResult
            {
                Outputs =
                [
                    new SequenceOutput
                    {
                        Text = Answer(text),
                        TokenIds = [1],
                        Score = -1,
                        FinishReason = FinishReason.Stop,
                    },
                ],
            }),
        ];
    }
}
