using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Seq2Seq.Inference.Loading;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Weights;

/// <summary>
/// The second build: every planned parameter, read and verified. Tensors that are equal (tied ones, and duplicates that a
/// file stores) share memory.
/// </summary>
internal sealed class FilledWeights : WeightTable, IDisposable
{
    private readonly WeightPlan _plan;
    private readonly List<FilledWeight> _distinct = [];
    private readonly Dictionary<string, FilledWeight> _byName = new(StringComparer.Ordinal);
    private readonly Dictionary<FilledWeight, byte[]> _hashes = [];
    private readonly List<string> _notes = [];
    private long _parameterCount;

    private FilledWeights(WeightPlan plan) => _plan = plan;

    /// <summary>What is wrong with the values; empty when the weights may be used.</summary>
    public IReadOnlyList<WeightProblem> Problems { get; private set; } = [];

    public WeightsSummary Summary =>
        new()
        {
            ParameterCount = _parameterCount,
            Bytes = _distinct.Sum(weight => weight.Stored.ElementCount * weight.Stored.Type.Bytes),
            Digest = Digest(),
            Files =
            [
                .. _distinct
                    .Select(weight => weight.Stored.File)
                    .Distinct(StringComparer.Ordinal)
                    .Order(StringComparer.Ordinal),
            ],
            UnusedTensors = [.. _plan.UnusedNames],
            Notes = [.. _plan.Notes, .. _notes],
        };

    /// <summary>Reads every planned parameter, in parallel and in the order of the files.</summary>
    /// <exception cref="LoadRefusedException">A file can't be read to its end.</exception>
    public static FilledWeights Read(WeightPlan plan, Device device, CancellationToken cancellationToken)
    {
        var filled = new FilledWeights(plan);
        try
        {
            filled.Allocate();
            filled.ReadBlocks(cancellationToken);
            filled.ShareEqual();
            filled.Verify();
            foreach (FilledWeight weight in filled._distinct)
            {
                weight.MoveTo(device);
            }

            return filled;
        }
        catch
        {
            filled.Dispose();
            throw;
        }
    }

    public override bool Contains(string name) => _plan.Contains(name);

    public override Tensor Take(ReadOnlySpan<string> names, ReadOnlySpan<long> shape) =>
        _byName.TryGetValue(names[0], out FilledWeight? weight)
            ? weight.Tensor.alias()
            : throw new InvalidOperationException($"'{names[0]}' was not taken in the first build.");

    // The first build said the same.
    public override void Note(string message) { }

    public void Dispose() => _distinct.ForEach(weight => weight.Dispose());

    private string Digest()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach ((string name, FilledWeight weight) in _byName.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            string shape = string.Join(',', weight.Stored.Shape);
            hash.AppendData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{name}\n{shape}\n")));
            hash.AppendData(_hashes[weight]);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private void Allocate()
    {
        var byView = new Dictionary<(ByteSource, long, string), FilledWeight>();
        foreach (PlannedWeight planned in _plan.Weights.Values)
        {
            if (!byView.TryGetValue(planned.Stored.View, out FilledWeight? filled))
            {
                filled = new FilledWeight(planned.Name, planned.Stored);
                byView.Add(planned.Stored.View, filled);
                _distinct.Add(filled);
            }

            _byName.Add(planned.Name, filled);
        }
    }

    private void ReadBlocks(CancellationToken cancellationToken)
    {
        IEnumerable<(FilledWeight Weight, int Block)> blocks = _distinct
            .OrderBy(weight => weight.Stored.File, StringComparer.Ordinal)
            .ThenBy(weight => weight.Stored.Source.Position + weight.Stored.Offset)
            .SelectMany(weight => Enumerable.Range(0, weight.BlockCount).Select(block => (weight, block)));
        var parallel = new ParallelOptions
        {
            CancellationToken = cancellationToken,
            MaxDegreeOfParallelism = Environment.ProcessorCount,
        };
        try
        {
            Parallel.ForEach(
                Partitioner.Create(blocks, EnumerablePartitionerOptions.NoBuffering),
                parallel,
                item => item.Weight.ReadBlock(item.Block, cancellationToken)
            );
        }
        catch (AggregateException exception) when (exception.InnerExceptions.OfType<LoadRefusedException>().Any())
        {
            LoadRefusedException first = exception.InnerExceptions.OfType<LoadRefusedException>().First();
            throw new LoadRefusedException(first.Code, first.Message, exception);
        }
    }

    private void ShareEqual()
    {
        var byHash = new Dictionary<string, FilledWeight>(StringComparer.Ordinal);
        foreach (FilledWeight weight in _distinct)
        {
            byte[] hash = weight.ValuesHash();
            _hashes.Add(weight, hash);
            string key = $"{Convert.ToHexString(hash)}{TensorShape.Print(weight.Stored.Shape)}";
            if (byHash.TryGetValue(key, out FilledWeight? equal))
            {
                weight.Share(equal);
            }
            else
            {
                byHash.Add(key, weight);
                _parameterCount += weight.Stored.ElementCount;
            }
        }
    }

    private void Verify()
    {
        var problems = new List<WeightProblem>();
        foreach (FilledWeight weight in _distinct)
        {
            if (weight.NotFinite is { } notFinite)
            {
                string cast = weight.Stored.Type == ElementType.Float64 ? " once it is float32" : "";
                problems.Add(
                    new WeightProblem(
                        LoadCodes.TensorNotFinite,
                        weight.Name,
                        $"{weight.Stored.File}: tensor '{weight.Name}' holds {notFinite}{cast}; expected finite numbers."
                    )
                );
            }
        }

        List<FilledWeight> zero = [.. _distinct.Where(weight => weight.IsZero && IsMatrix(weight))];
        HashSet<FilledWeight> tails =
        [
            .. _distinct.GroupBy(weight => weight.Stored.File, StringComparer.Ordinal).SelectMany(ZeroTail),
        ];
        problems.AddRange(
            zero.Where(tails.Contains)
                .Select(weight => new WeightProblem(
                    LoadCodes.WeightsZeroTail,
                    weight.Name,
                    $"{weight.Stored.File}: the file ends in zeros, all of tensor '{weight.Name}' among them; expected weights. Was its download interrupted?"
                ))
        );
        Problems = problems;
        _notes.AddRange(
            zero.Where(weight => !tails.Contains(weight))
                .Select(weight => $"{weight.Stored.File}: every value of tensor '{weight.Name}' is zero.")
        );
    }

    private static IEnumerable<FilledWeight> ZeroTail(IEnumerable<FilledWeight> file) =>
        file.OrderByDescending(weight => weight.Stored.Source.Position + weight.Stored.Offset)
            .TakeWhile(weight => weight.IsZero);

    private static bool IsMatrix(FilledWeight weight) => weight.Stored.Shape.Count(dimension => dimension > 1) >= 2;
}
