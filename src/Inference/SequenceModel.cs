using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Loading;

namespace Seq2Seq.Inference;

/// <summary>
/// The door of this project: a loaded sequence-to-sequence model with its tokenizer, bound to one device. Calls from
/// many threads are welcome; their lines are decoded together. A line's result does not depend on its neighbours.
/// </summary>
public sealed class SequenceModel : IAsyncDisposable
{
    private SequenceModel(LoadReport report) => Report = report;

    /// <summary>How this model was loaded.</summary>
    public LoadReport Report { get; }

    /// <summary>Loads a model: direct, then config-first. Reads files only: no network, no child process.</summary>
    /// <exception cref="ModelLoadException">No strategy filled every weight; the report has every try.</exception>
    public static SequenceModel Load(ModelLoadOptions options, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    /// <summary>
    /// Checks parameters against the model, once for a whole job.
    /// </summary>
    /// <exception cref="GenerationParametersException">A value is out of range or not supported; names it.</exception>
    public void Validate(GenerationParameters parameters) => throw new NotSupportedException();

    /// <summary>Generates for each input, in order. A line's expected failure is a value in its result.</summary>
    /// <exception cref="GenerationParametersException">A value is out of range or not supported; names it.</exception>
    public Task<IReadOnlyList<SequenceResult>> GenerateAsync(
        IReadOnlyList<SequenceInput> inputs,
        GenerationParameters parameters,
        CancellationToken cancellationToken
    ) => throw new NotSupportedException();

    public ValueTask DisposeAsync() => throw new NotSupportedException();
}
