using Seq2Seq.Inference.Loading;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Weights;

/// <summary>
/// The first build: records which stored tensor fills which parameter, and what is missing or does not fit. Hands out
/// tensors of the meta device. Reads nothing and allocates nothing of the weights' size.
/// </summary>
internal sealed class WeightPlan(WeightSource source) : WeightTable
{
    private const int MaxProblems = 256;

    private readonly Dictionary<string, PlannedWeight> _weights = new(StringComparer.Ordinal);
    private readonly HashSet<string> _consulted = new(StringComparer.Ordinal);
    private readonly List<WeightProblem> _problems = [];
    private readonly List<string> _notes = [];

    /// <summary>The parameters by name, each once.</summary>
    public IReadOnlyDictionary<string, PlannedWeight> Weights => _weights;

    public IReadOnlyList<WeightProblem> Problems => _problems;

    public IReadOnlyList<string> Notes => _notes;

    /// <summary>Names of the source that no parameter took, nor is tied to.</summary>
    public IEnumerable<string> UnusedNames => source.Tensors.Keys.Where(name => !_consulted.Contains(name));

    public override bool Contains(string name) => source.Tensors.ContainsKey(name);

    public override Tensor Take(ReadOnlySpan<string> names, ReadOnlySpan<long> shape)
    {
        StoredTensor? chosen = null;
        foreach (string name in names)
        {
            if (!source.Tensors.TryGetValue(name, out StoredTensor? stored))
            {
                continue;
            }

            chosen ??= stored;
            _consulted.Add(name);
            CheckFit(name, stored, shape);
        }

        if (chosen is not null)
        {
            _weights.TryAdd(names[0], new PlannedWeight(names[0], chosen));
        }
        else
        {
            string others =
                names.Length > 1 ? $" (nor are {string.Join(", ", names[1..]!)}, which are tied to it)" : "";
            Add(
                LoadCodes.TensorMissing,
                names[0],
                $"{source.Description}: tensor '{names[0]}' {TensorShape.Print(shape)} is missing{others}."
            );
        }

        return empty(shape.ToArray(), dtype: ScalarType.Float32, device: META);
    }

    public override void Note(string message) => _notes.Add(message);

    private void CheckFit(string name, StoredTensor stored, ReadOnlySpan<long> shape)
    {
        if (!stored.Shape.AsSpan().SequenceEqual(shape))
        {
            Add(
                LoadCodes.TensorShape,
                name,
                $"{stored.File}: tensor '{name}' has shape {TensorShape.Print(stored.Shape)}; expected {TensorShape.Print(shape)}."
            );
        }
        else if (!stored.Type.IsReadable)
        {
            Add(
                LoadCodes.TensorType,
                name,
                $"{stored.File}: tensor '{name}' is stored as {stored.Type.Name}; expected F32, F16, BF16 or F64."
            );
        }
    }

    private void Add(string code, string tensor, string message)
    {
        _problems.Add(new WeightProblem(code, tensor, message));
        if (_problems.Count >= MaxProblems)
        {
            throw new TooManyProblemsException();
        }
    }
}
