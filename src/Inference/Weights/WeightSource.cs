namespace Seq2Seq.Inference.Weights;

/// <summary>The stored tensors that a try may fill parameters from, under the names that parameters have.</summary>
internal sealed class WeightSource
{
    private readonly Dictionary<string, StoredTensor> _tensors;

    /// <param name="description">The file or index, for messages.</param>
    /// <param name="tensors">Stored tensors by parameter name.</param>
    public WeightSource(string description, Dictionary<string, StoredTensor> tensors)
    {
        Description = description;
        _tensors = tensors;
    }

    public string Description { get; }

    public IReadOnlyDictionary<string, StoredTensor> Tensors => _tensors;

    /// <summary>Every tensor of a file under the name that it has there.</summary>
    public static WeightSource Of(WeightsFile file) =>
        new(file.Name, file.Tensors.ToDictionary(tensor => tensor.Name, StringComparer.Ordinal));
}
