using System.Collections.Concurrent;
using System.Globalization;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Tokenization;
using Seq2Seq.Jobs.Execution;

namespace Seq2Seq.Api.Tests;

/// <summary>
/// Stands for a loaded model behind real workers: answers a line in capitals, a line of ids with their sum, an empty line with
/// its error, of one that is cut what is left; a <see cref="HeldLine"/> waits until the test lets it go.
/// </summary>
internal sealed class CapitalsModel
{
    private const string HoldPrefix = "hold";

    private readonly ConcurrentDictionary<string, TaskCompletionSource> _held = new(StringComparer.Ordinal);

    /// <summary>A line that waits for <see cref="Release"/>, another one at each call.</summary>
    public static string HeldLine() => $"{HoldPrefix} {Guid.NewGuid():N}";

    public LoadedModel Load(ModelLoadOptions options, CancellationToken cancellationToken)
    {
        if (options.Name.StartsWith("broken", StringComparison.Ordinal))
        {
            throw new ModelLoadException(Refusal(options), new InvalidDataException("encoder.final_layer_norm.weight"));
        }

        return new LoadedModel(Report(options), GenerateAsync, () => ValueTask.CompletedTask);
    }

    /// <summary>Lets a held line go, whether it has come already or comes later.</summary>
    public void Release(string line) => Gate(line).TrySetResult();

    private async Task<IReadOnlyList<SequenceResult>> GenerateAsync(
        IReadOnlyList<SequenceInput> inputs,
        GenerationParameters parameters,
        CancellationToken cancellationToken
    )
    {
        foreach (SequenceInput input in inputs)
        {
            if (input.Text?.StartsWith(HoldPrefix, StringComparison.Ordinal) == true)
            {
                await Gate(input.Text).Task.WaitAsync(cancellationToken);
            }
        }

        return [.. inputs.Select(input => Answer(input, parameters))];
    }

    private TaskCompletionSource Gate(string line) =>
        _held.GetOrAdd(line, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));

    private static SequenceResult Answer(SequenceInput input, GenerationParameters parameters)
    {
        if (input.Text is { Length: 0 })
        {
            return SequenceResult.Failed(LineErrorCodes.Empty, "The line has no text.");
        }

        // A token a character.
        SourceTruncation? truncation =
            parameters is { LongLines: LongLinePolicy.Truncate, MaxSourceLength: { } most } && input.Text?.Length > most
                ? new SourceTruncation(input.Text.Length, most)
                : null;
        return new SequenceResult
        {
            Outputs =
            [
                new SequenceOutput
                {
                    Text =
                        input.Text?[..(truncation?.KeptTokens ?? input.Text.Length)].ToUpperInvariant()
                        ?? input.TokenIds!.Sum().ToString(CultureInfo.InvariantCulture),
                    TokenIds = [7, 1],
                    Score = parameters.ReturnScores ?? true ? -0.25 : double.NaN,
                    FinishReason = FinishReason.Stop,
                },
            ],
            Truncation = truncation,
        };
    }

    private static LoadReport Report(ModelLoadOptions options) =>
        new()
        {
            Model = options.Name,
            Folder = options.Folder,
            Outcome = LoadOutcome.Loaded,
            Strategy = LoadStrategy.ConfigFirst,
            ModelType = "t5",
            Device = options.Device.ToString(),
            ComputeType = "float32",
            Parameters = 4_086_848,
            Bytes = 16_347_392,
            Seconds = 0.21,
            WeightsDigest = new string('a', 64),
            Languages = new ModelLanguages { Source = ["eng"], Target = ["deu", "fra"] },
            Files = ["pytorch_model.bin"],
            Tries =
            [
                new LoadTry
                {
                    Strategy = LoadStrategy.Direct,
                    Target = "model.safetensors",
                    Code = "weights_missing",
                    Error = "The folder has no model.safetensors.",
                    Seconds = 0.01,
                },
                new LoadTry
                {
                    Strategy = LoadStrategy.ConfigFirst,
                    Target = "pytorch_model.bin",
                    Seconds = 0.2,
                },
            ],
        };

    private static LoadReport Refusal(ModelLoadOptions options) =>
        new()
        {
            Model = options.Name,
            Folder = options.Folder,
            Outcome = LoadOutcome.Refused,
            Code = "tensor_missing",
            Message = "encoder.final_layer_norm.weight is in no file; expected [192].",
            Tries =
            [
                new LoadTry
                {
                    Strategy = LoadStrategy.Direct,
                    Target = "model.safetensors",
                    Code = "tensor_missing",
                    Error = "encoder.final_layer_norm.weight is in no file; expected [192].",
                },
            ],
        };
}
