using System.Buffers;
using System.Globalization;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Seq2Seq.Inference.Layers.Matrices;
using Seq2Seq.Inference.Loading;
using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Weights;

/// <summary>
/// The second build: every planned parameter, read when the build takes it, so that a weight that a layer packs is packed
/// while it is read. Only afterwards is it known whether the weights may be used: <see cref="Complete"/> says so. Tensors
/// that are equal (tied ones, and duplicates that a file stores) share memory, and one is let go of when the build takes it for
/// the last time.
/// </summary>
internal sealed class FilledWeights : WeightTable, IDisposable
{
    private const int MaxListed = 1000;
    private const int ChunkBytes = 1 << 18;

    // Smaller duplicates are not worth looking for.
    private const long LeastSharedElements = 1 << 18;
    private const int SampleElements = 1 << 10;

    private readonly WeightPlan _plan;
    private readonly Device _device;
    private readonly CancellationToken _cancellationToken;
    private readonly List<FilledWeight> _distinct = [];
    private readonly Dictionary<string, FilledWeight> _byName = new(StringComparer.Ordinal);
    private readonly Dictionary<FilledWeight, StoredMatrix> _matrices = [];
    private readonly Dictionary<FilledWeight, int> _takesLeft = [];

    /// <param name="plan">What is stored where.</param>
    /// <param name="device">Where tensors are to be.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public FilledWeights(WeightPlan plan, Device device, CancellationToken cancellationToken)
    {
        _plan = plan;
        _device = device;
        _cancellationToken = cancellationToken;
        var byView = new Dictionary<(ByteSource, long, string), FilledWeight>();
        foreach (PlannedWeight planned in _plan.Weights.Values)
        {
            StoredTensor stored = planned.Stored;
            var view = (stored.Source, stored.Offset, stored.Layout);
            if (!byView.TryGetValue(view, out FilledWeight? filled))
            {
                filled = new FilledWeight(planned.Name, stored, cancellationToken) { Original = FindEqual(stored) };
                byView.Add(view, filled);
                _distinct.Add(filled);
            }

            _byName.Add(planned.Name, filled);
            _takesLeft[filled] = _takesLeft.GetValueOrDefault(filled) + planned.Takes;
        }
    }

    /// <summary>Files that the values come from.</summary>
    public IReadOnlyList<string> Files =>
        [
            .. _distinct
                .Select(weight => weight.Stored.File)
                .Distinct(StringComparer.Ordinal)
                .Order(StringComparer.Ordinal),
        ];

    /// <summary>Ends the build: what it did not read is read as well, and all is looked over.</summary>
    /// <returns>What is wrong with the values, nothing when they may be used; and what to say of them.</returns>
    /// <exception cref="LoadRefusedException">A file can't be read to its end, or a checksum is wrong.</exception>
    public (IReadOnlyList<WeightProblem> Problems, WeightsSummary Summary) Complete()
    {
        _distinct.ForEach(weight => weight.ReadRest());
        CheckSources();
        List<WeightProblem> problems =
        [
            .. CompareCopies(),
            .. WeightChecks.NotFinite(_distinct),
            .. WeightChecks.ZeroTails(_distinct),
        ];
        return (problems, Summarise());
    }

    public override bool Contains(string name) => _plan.Contains(name);

    public override IReadOnlyList<long>? ShapeOf(string name) => _plan.ShapeOf(name);

    public override Tensor Take(ReadOnlySpan<string> names, ReadOnlySpan<long> shape)
    {
        FilledWeight weight = Find(names[0]);
        if (_takesLeft[weight] == 0)
        {
            throw TakenTooOften(names[0]);
        }

        Tensor taken = IsOnCpu ? weight.Tensor.alias() : weight.Tensor.to(_device);
        if (--_takesLeft[weight] == 0)
        {
            weight.Dispose();
        }

        return taken;
    }

    // Of a weight that is taken both ways the tensor is kept until the end: it is an embedding's, which holds it anyway.
    public override WeightMatrix TakeMatrix(ReadOnlySpan<string> names, int rows, int columns)
    {
        if (!IsOnCpu)
        {
            return new TensorMatrix(Take(names, [rows, columns]));
        }

        FilledWeight weight = Find(names[0]);
        weight = weight.Original ?? weight;
        if (!_matrices.TryGetValue(weight, out StoredMatrix? matrix))
        {
            _matrices.Add(weight, matrix = new StoredMatrix(weight));
        }

        return matrix;
    }

    // The first build said the same.
    public override void Note(string message) { }

    public void Dispose() => _distinct.ForEach(weight => weight.Dispose());

    private bool IsOnCpu => _device.type == DeviceType.CPU;

    private FilledWeight Find(string name) =>
        _byName.TryGetValue(name, out FilledWeight? weight) ? weight : throw TakenTooOften(name);

    private static InvalidOperationException TakenTooOften(string name) =>
        new($"'{name}' is taken more often than in the first build.");

    /// <summary>A large tensor before this one that holds the same bytes.</summary>
    private FilledWeight? FindEqual(StoredTensor stored) =>
        stored.ElementCount < LeastSharedElements
            ? null
            : _distinct.Find(other =>
                other.Original is null
                && other.Stored.Layout == stored.Layout
                && AreEqual(other.Stored, stored, SampleElements)
                && AreEqual(other.Stored, stored, stored.ElementCount)
            );

    private bool AreEqual(StoredTensor one, StoredTensor other, long elements)
    {
        int length = (int)Math.Min(elements, ChunkBytes / sizeof(float));
        float[] ofOne = ArrayPool<float>.Shared.Rent(length);
        float[] ofOther = ArrayPool<float>.Shared.Rent(length);
        bool areEqual = true;
        for (long start = 0; areEqual && start < elements; start += length)
        {
            _cancellationToken.ThrowIfCancellationRequested();
            int count = (int)Math.Min(length, elements - start);
            StoredTensorReader.Read(one, start, ofOne.AsSpan(0, count), crc: null);
            StoredTensorReader.Read(other, start, ofOther.AsSpan(0, count), crc: null);
            areEqual = MemoryMarshal
                .AsBytes(ofOne.AsSpan(0, count))
                .SequenceEqual(MemoryMarshal.AsBytes(ofOther.AsSpan(0, count)));
        }

        ArrayPool<float>.Shared.Return(ofOne);
        ArrayPool<float>.Shared.Return(ofOther);
        return areEqual;
    }

    private WeightsSummary Summarise()
    {
        Dictionary<FilledWeight, byte[]> hashes = _distinct.ToDictionary(
            weight => weight,
            weight => weight.ValuesHash()
        );
        return new WeightsSummary
        {
            ParameterCount = _distinct
                .DistinctBy(
                    weight => $"{Convert.ToHexString(hashes[weight])} {string.Join(',', weight.Stored.Shape)}",
                    StringComparer.Ordinal
                )
                .Sum(weight => weight.Stored.ElementCount),
            Bytes = _distinct.Sum(weight => weight.Stored.ElementCount * weight.Stored.Type.Bytes),
            Digest = Digest(hashes),
            Files = Files,
            UnusedTensors = Listed(_plan.UnusedNames),
            Notes = [.. _plan.Notes, .. WeightChecks.ZeroMatrices(_distinct)],
        };
    }

    private static string[] Listed(IEnumerable<string> names)
    {
        string[] all = [.. names.Select(UntrustedText.Printable)];
        return all.Length <= MaxListed
            ? all
            :
            [
                .. all[..MaxListed],
                string.Create(CultureInfo.InvariantCulture, $"… and {all.Length - MaxListed} more"),
            ];
    }

    private string Digest(Dictionary<FilledWeight, byte[]> hashes)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach ((string name, FilledWeight weight) in _byName.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            string shape = string.Join(',', weight.Stored.Shape);
            hash.AppendData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{name}\n{shape}\n")));
            hash.AppendData(hashes[weight]);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Checks the checksums: of what was read whole at once, of sources read in part by reading them whole.</summary>
    private void CheckSources()
    {
        _distinct.ForEach(weight => weight.CheckCrc());
        HashSet<ByteSource> whole =
        [
            .. _distinct.Where(weight => weight.HasOwnCrc).Select(weight => weight.Stored.Source),
        ];
        ParallelWork.Run(
            _distinct
                .Select(weight => weight.Stored.Source)
                .Where(source => source.Crc is not null && !whole.Contains(source))
                .Distinct(),
            source => source.CheckCrc(CrcOf(source)),
            _cancellationToken
        );
    }

    private uint CrcOf(ByteSource source)
    {
        var crc = new Crc32();
        byte[] chunk = ArrayPool<byte>.Shared.Rent(ChunkBytes);
        try
        {
            for (long offset = 0; offset < source.Length; offset += chunk.Length)
            {
                _cancellationToken.ThrowIfCancellationRequested();
                Span<byte> bytes = chunk.AsSpan(0, (int)Math.Min(chunk.Length, source.Length - offset));
                source.Read(offset, bytes);
                crc.Append(bytes);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(chunk);
        }

        return crc.GetCurrentHashAsUInt32();
    }

    // Parameters that several files hold tell whether the files are of one checkpoint.
    private IEnumerable<WeightProblem> CompareCopies()
    {
        foreach (PlannedWeight planned in _plan.Weights.Values)
        {
            foreach (StoredTensor stored in planned.Copies)
            {
                using var copy = new FilledWeight(planned.Name, stored, _cancellationToken);
                copy.ReadRest();
                if (!copy.ValuesHash().AsSpan().SequenceEqual(_byName[planned.Name].ValuesHash()))
                {
                    yield return new WeightProblem(
                        LoadCodes.WeightsAmbiguous,
                        planned.Name,
                        $"tensor '{planned.Name}' has other values in {stored.File} than in {planned.Stored.File}; expected files of one checkpoint."
                    );
                }
            }
        }
    }
}
