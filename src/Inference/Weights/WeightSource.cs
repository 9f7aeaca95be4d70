namespace Seq2Seq.Inference.Weights;

/// <summary>The stored tensors that a try may fill parameters from: of a file, of shards, or of several of these together.</summary>
internal sealed class WeightSource
{
    private readonly IReadOnlyList<Part> _parts;

    /// <param name="description">The file or index, for messages.</param>
    /// <param name="tensors">The tensors. Of those with one name the first that fits is taken, and others that fit must be equal.</param>
    public WeightSource(string description, IEnumerable<StoredTensor> tensors)
        : this(description, [new Part(ByName(tensors), Rule: null)]) { }

    private WeightSource(string description, IReadOnlyList<Part> parts)
    {
        Description = description;
        _parts = parts;
        StoredNames =
            parts.Count == 1
                ? parts[0].Tensors.Keys
                : [.. parts.SelectMany(part => part.Tensors.Keys).Distinct(StringComparer.Ordinal)];
    }

    public string Description { get; }

    /// <summary>Elements of all matrices, each stored one once.</summary>
    public long MatrixElements =>
        _parts
            .SelectMany(part => part.Tensors.Values)
            .SelectMany(tensors => tensors)
            .Where(tensor => tensor.Shape.Length == 2)
            .DistinctBy(tensor => (tensor.Source, tensor.Offset))
            .Sum(tensor => tensor.ElementCount);

    /// <summary>Names as they are stored.</summary>
    public IReadOnlyCollection<string> StoredNames { get; }

    /// <summary>How stored names differ from the parameters' own.</summary>
    public IEnumerable<NameRule> Rules => _parts.Select(part => part.Rule).OfType<NameRule>();

    /// <summary>Several sources as one, the first coming first.</summary>
    public static WeightSource Together(IReadOnlyList<WeightSource> sources) =>
        new(
            string.Join(" + ", sources.Select(source => source.Description)),
            [.. sources.SelectMany(source => source._parts)]
        );

    /// <summary>The same tensors, where what is not stored under a parameter's own name is looked for under another.</summary>
    public WeightSource With(NameRule rule) => new(Description, [.. _parts.Select(part => part with { Rule = rule })]);

    /// <summary>The tensors stored for a parameter, under its own name or that of a rule; empty when there is none.</summary>
    public IReadOnlyList<StoredTensor> Find(string parameter) =>
        _parts.Count == 1 ? _parts[0].Find(parameter) : [.. _parts.SelectMany(part => part.Find(parameter))];

    private static Dictionary<string, List<StoredTensor>> ByName(IEnumerable<StoredTensor> tensors)
    {
        var byName = new Dictionary<string, List<StoredTensor>>(StringComparer.Ordinal);
        foreach (StoredTensor tensor in tensors)
        {
            if (!byName.TryGetValue(tensor.Name, out List<StoredTensor>? same))
            {
                byName.Add(tensor.Name, same = []);
            }

            same.Add(tensor);
        }

        return byName;
    }

    private sealed record Part(Dictionary<string, List<StoredTensor>> Tensors, NameRule? Rule)
    {
        public List<StoredTensor> Find(string parameter) =>
            Tensors.TryGetValue(parameter, out List<StoredTensor>? own) ? own
            : Rule?.StoredName(parameter) is { } name && Tensors.TryGetValue(name, out List<StoredTensor>? renamed)
                ? renamed
            : [];
    }
}
