using Seq2Seq.Inference.Layers.Matrices;
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
    private readonly HashSet<string> _used = new(StringComparer.Ordinal);
    private readonly List<WeightProblem> _problems = [];
    private readonly List<string> _notes = [];

    /// <summary>The parameters by name, each once.</summary>
    public IReadOnlyDictionary<string, PlannedWeight> Weights => _weights;

    public IReadOnlyList<WeightProblem> Problems => _problems;

    public IReadOnlyList<string> Notes => [.. source.Rules.Select(rule => $"{source.Description}: {rule}."), .. _notes];

    /// <summary>Stored names that no parameter took, nor is tied to.</summary>
    public IEnumerable<string> UnusedNames => source.StoredNames.Where(name => !_used.Contains(name));

    public override bool Contains(string name) => source.Find(name).Count > 0;

    public override IReadOnlyList<long>? ShapeOf(string name) =>
        source.Find(name) is [var stored, ..] ? stored.Shape : null;

    public override Tensor Take(ReadOnlySpan<string> names, ReadOnlySpan<long> shape)
    {
        if (!_weights.TryGetValue(names[0], out PlannedWeight? planned))
        {
            planned = Plan(names, shape);
            if (planned is not null)
            {
                _weights.Add(names[0], planned);
            }
        }
        else
        {
            CheckFit(names[0], planned.Stored, shape);
        }

        if (planned is not null)
        {
            planned.Takes++;
        }

        CheckSize(names[0], planned, shape);
        return empty(shape.ToArray(), dtype: ScalarType.Float32, device: META);
    }

    public override WeightMatrix TakeMatrix(ReadOnlySpan<string> names, int rows, int columns) =>
        new TensorMatrix(Take(names, [rows, columns]));

    public override void Note(string message) => _notes.Add(message);

    /// <summary>Layers of the file beyond those that the configuration counts would silently be dropped: refused.</summary>
    public void CheckDroppedLayers()
    {
        HashSet<string> taken = [.. _used.Select(Pattern)];
        foreach (string name in UnusedNames.Where(name => taken.Contains(Pattern(name))).Take(MaxProblems))
        {
            _problems.Add(
                new WeightProblem(
                    LoadCodes.LayersDropped,
                    name,
                    $"{source.Description}: tensor '{UntrustedText.Printable(name)}' belongs to a layer that the configuration does not count; expected as many layers as are stored."
                )
            );
        }
    }

    private PlannedWeight? Plan(ReadOnlySpan<string> names, ReadOnlySpan<long> shape)
    {
        PlannedWeight? planned = null;
        bool isThere = false;
        foreach (string name in names)
        {
            IReadOnlyList<StoredTensor> stored = source.Find(name);
            if (stored.Count == 0)
            {
                continue;
            }

            isThere = true;
            _used.Add(stored[0].Name);
            StoredTensor[] fitting = Fitting(stored, shape);
            if (fitting.Length == 0)
            {
                CheckFit(name, stored[0], shape);
            }
            else
            {
                planned ??= new PlannedWeight(names[0], fitting[0], fitting[1..]);
            }
        }

        if (!isThere)
        {
            string others = names.Length > 1 ? $" (nor is {string.Join(", ", names[1..]!)}, which is tied to it)" : "";
            Add(
                LoadCodes.TensorMissing,
                names[0],
                $"{source.Description}: tensor '{names[0]}' {TensorShape.Print(shape)} is missing{others}."
            );
        }

        return planned;
    }

    // Layers count their values in 32 bits.
    private void CheckSize(string name, PlannedWeight? planned, ReadOnlySpan<long> shape)
    {
        if (TensorShape.TryElementCount(shape, out long count) && count <= int.MaxValue)
        {
            return;
        }

        if (planned is not null)
        {
            Add(
                LoadCodes.TensorShape,
                name,
                $"{planned.Stored.File}: tensor '{name}' {TensorShape.Print(shape)} has more than {int.MaxValue} values."
            );
        }

        throw new PlanEndedException();
    }

    private static StoredTensor[] Fitting(IReadOnlyList<StoredTensor> stored, ReadOnlySpan<long> shape)
    {
        var fitting = new List<StoredTensor>();
        foreach (StoredTensor tensor in stored)
        {
            if (tensor.Type.IsReadable && tensor.Shape.AsSpan().SequenceEqual(shape))
            {
                fitting.Add(tensor);
            }
        }

        return [.. fitting];
    }

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
            throw new PlanEndedException();
        }
    }

    private static string Pattern(string name) =>
        string.Join('.', name.Split('.').Select(part => part.All(char.IsAsciiDigit) ? "#" : part));
}
