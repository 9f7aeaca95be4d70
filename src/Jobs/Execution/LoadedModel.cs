using Seq2Seq.Inference;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Loading;

namespace Seq2Seq.Jobs.Execution;

/// <summary>Generates for lines, in order.</summary>
internal delegate Task<IReadOnlyList<SequenceResult>> GenerateLines(
    IReadOnlyList<SequenceInput> inputs,
    GenerationParameters parameters,
    CancellationToken cancellationToken
);

/// <summary>Loads a model onto a device.</summary>
/// <exception cref="ModelLoadException">It was refused; the report has every try.</exception>
internal delegate LoadedModel LoadModel(ModelLoadOptions options, CancellationToken cancellationToken);

/// <summary>A model in memory: what the job side needs of it.</summary>
internal sealed record LoadedModel(LoadReport Report, GenerateLines Generate, Func<ValueTask> Dispose)
{
    /// <summary>Whether what was computed for a line answers equal ones of its job.</summary>
    public bool ComputesEqualLinesOnce { get; init; } = true;

    public static LoadedModel Load(ModelLoadOptions options, CancellationToken cancellationToken)
    {
        var model = SequenceModel.Load(options, cancellationToken);
        return new LoadedModel(model.Report, model.GenerateAsync, model.DisposeAsync)
        {
            ComputesEqualLinesOnce = options.Savings.EqualLines,
        };
    }
}
