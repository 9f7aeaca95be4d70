using System.Buffers;
using System.Globalization;
using System.IO.Hashing;
using System.Security.Cryptography;
using System.Text;
using Seq2Seq.Inference.Loading;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Weights;

/// <summary>
/// The second build: every planned parameter, read and verified. Tensors that are equal (tied ones, and duplicates that a
/// file stores) share memory. A tensor is let go of when the build takes it for the last time, so that a layer that packs
/// its weight can free it at once.
/// </summary>
internal sealed class FilledWeights : WeightTable, IDisposable
{
    private const int MaxListed = 1000;
    private const int ChunkBytes = 1 << 18;

    private readonly WeightPlan _plan;
    private readonly List<FilledWeight> _distinct = [];
    private readonly Dictionary<string, FilledWeight> _byName = new(StringComparer.Ordinal);
    private readonly Dictionary<FilledWeight, byte[]> _hashes = [];
    private readonly Dictionary<FilledWeight, int> _takesLeft = [];
    private readonly List<string> _notes = [];
    private readonly List<WeightProblem> _problems = [];
    private long _parameterCount;

    private FilledWeights(WeightPlan plan) => _plan = plan;

    /// <summary>What is wrong with the values; empty when the weights may be used.</summary>
    public IReadOnlyList<WeightProblem> Problems => _problems;

    /// <summary>Files that the values came from.</summary>
    public IReadOnlyList<string> Files =>
        [
            .. _distinct
                .Select(weight => weight.Stored.File)
                .Distinct(StringComparer.Ordinal)
                .Order(StringComparer.Ordinal),
        ];

    public WeightsSummary Summary =>
        new()
        {
            ParameterCount = _parameterCount,
            Bytes = _distinct.Sum(weight => weight.Stored.ElementCount * weight.Stored.Type.Bytes),
            Digest = Digest(),
            Files = Files,
            UnusedTensors = Listed(_plan.UnusedNames),
            Notes = [.. _plan.Notes, .. _notes],
        };

    /// <summary>Reads every planned parameter, in parallel and in the order of the files.</summary>
    /// <exception cref="LoadRefusedException">A file can't be read to its end, or a checksum is wrong.</exception>
    public static FilledWeights Read(WeightPlan plan, Device device, CancellationToken cancellationToken)
    {
        var filled = new FilledWeights(plan);
        try
        {
            filled.Allocate();
            ReadBlocks(filled._distinct, cancellationToken);
            filled.CheckSources(cancellationToken);
            filled.CompareCopies(cancellationToken);
            filled.ShareEqual();
            filled._problems.AddRange(WeightChecks.NotFinite(filled._distinct));
            filled._problems.AddRange(WeightChecks.ZeroTails(filled._distinct));
            filled._notes.AddRange(WeightChecks.ZeroMatrices(filled._distinct));
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

    public override IReadOnlyList<long>? ShapeOf(string name) => _plan.ShapeOf(name);

    public override Tensor Take(ReadOnlySpan<string> names, ReadOnlySpan<long> shape)
    {
        if (!_byName.TryGetValue(names[0], out FilledWeight? weight) || _takesLeft[weight] == 0)
        {
            throw new InvalidOperationException($"'{names[0]}' is taken more often than in the first build.");
        }

        Tensor taken = weight.Tensor.alias();
        if (--_takesLeft[weight] == 0)
        {
            weight.Dispose();
        }

        return taken;
    }

    // The first build said the same.
    public override void Note(string message) { }

    public void Dispose() => _distinct.ForEach(weight => weight.Dispose());

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
            StoredTensor stored = planned.Stored;
            var view = (stored.Source, stored.Offset, stored.Layout);
            if (!byView.TryGetValue(view, out FilledWeight? filled))
            {
                filled = new FilledWeight(planned.Name, stored);
                byView.Add(view, filled);
                _distinct.Add(filled);
            }

            _byName.Add(planned.Name, filled);
            _takesLeft[filled] = _takesLeft.GetValueOrDefault(filled) + planned.Takes;
        }
    }

    private static void ReadBlocks(IEnumerable<FilledWeight> weights, CancellationToken cancellationToken) =>
        ParallelWork.Run(
            weights
                .OrderBy(weight => weight.Stored.File, StringComparer.Ordinal)
                .ThenBy(weight => weight.Stored.Position)
                .SelectMany(weight => Enumerable.Range(0, weight.BlockCount).Select(block => (weight, block))),
            item => item.weight.ReadBlock(item.block, cancellationToken),
            cancellationToken
        );

    /// <summary>Checks the checksums: of what was read whole at once, of sources read in part by reading them whole.</summary>
    private void CheckSources(CancellationToken cancellationToken)
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
            source => source.CheckCrc(CrcOf(source, cancellationToken)),
            cancellationToken
        );
    }

    private static uint CrcOf(ByteSource source, CancellationToken cancellationToken)
    {
        var crc = new Crc32();
        byte[] chunk = ArrayPool<byte>.Shared.Rent(ChunkBytes);
        try
        {
            for (long offset = 0; offset < source.Length; offset += chunk.Length)
            {
                cancellationToken.ThrowIfCancellationRequested();
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
    private void CompareCopies(CancellationToken cancellationToken)
    {
        foreach (PlannedWeight planned in _plan.Weights.Values)
        {
            foreach (StoredTensor stored in planned.Copies)
            {
                using var copy = new FilledWeight(planned.Name, stored);
                ReadBlocks([copy], cancellationToken);
                if (!copy.ValuesHash().AsSpan().SequenceEqual(_byName[planned.Name].ValuesHash()))
                {
                    _problems.Add(
                        new WeightProblem(
                            LoadCodes.WeightsAmbiguous,
                            planned.Name,
                            $"tensor '{planned.Name}' has other values in {stored.File} than in {planned.Stored.File}; expected files of one checkpoint."
                        )
                    );
                }
            }
        }
    }

    private void ShareEqual()
    {
        var byHash = new Dictionary<string, FilledWeight>(StringComparer.Ordinal);
        foreach (FilledWeight weight in _distinct)
        {
            byte[] hash = weight.ValuesHash();
            _hashes.Add(weight, hash);
            string key = $"{Convert.ToHexString(hash)} {string.Join(',', weight.Stored.Shape)}";
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
}
