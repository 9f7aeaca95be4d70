using System.Buffers;
using System.Globalization;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Seq2Seq.Inference.Devices;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Matrices;
using Seq2Seq.Inference.Weights.Zip;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Weights;

/// <summary>
/// One stored tensor on its way into float32 memory: cut into blocks of rows that several threads read, convert, look over
/// and hash, each value while it is in the cache. A block that is read again is only read.
/// </summary>
internal sealed class FilledWeight : IDisposable
{
    // 256 KiB of float32: fits the second-level cache.
    private const int ChunkElements = 1 << 16;

    private readonly CancellationToken _cancellationToken;
    private readonly long _blockElements;
    private readonly byte[]?[] _blockHashes;
    private readonly uint[] _blockCrcs;
    private readonly Lock _lock = new();
    private Tensor? _tensor;
    private bool _isZero = true;
    private long _firstNotFinite = long.MaxValue;
    private float _notFiniteValue;

    public FilledWeight(string name, StoredTensor stored, CancellationToken cancellationToken)
    {
        Name = name;
        Stored = stored;
        _cancellationToken = cancellationToken;
        // Of one dimension it is one row.
        long rows = stored.Shape.Length > 1 ? stored.Shape[0] : 1;
        long columns = rows == 0 ? 0 : stored.ElementCount / rows;
        long blockRows = WeightMatrix.BlockRows((int)Math.Min(columns, int.MaxValue));
        _blockElements = blockRows * columns;
        _blockHashes = new byte[stored.ElementCount == 0 ? 0 : (int)((rows + blockRows - 1) / blockRows)][];
        _blockCrcs = new uint[_blockHashes.Length];
    }

    /// <summary>The first parameter that it fills.</summary>
    public string Name { get; }

    public StoredTensor Stored { get; }

    /// <summary>An earlier one that holds the same bytes; null when there is none.</summary>
    public FilledWeight? Original { get; init; }

    private int BlockCount => _blockHashes.Length;

    /// <summary>Whether every value is zero, once every block is read.</summary>
    public bool IsZero => Original?.IsZero ?? _isZero;

    /// <summary>Where the first value that is NaN or infinite stands, and which it is; null when all are finite.</summary>
    public string? NotFinite =>
        Original is not null ? Original.NotFinite
        : _firstNotFinite == long.MaxValue ? null
        : string.Create(
            CultureInfo.InvariantCulture,
            $"{_notFiniteValue} at element {_firstNotFinite} of {Stored.ElementCount}"
        );

    /// <summary>The values in memory: read when this is first asked for, and kept until this is disposed.</summary>
    public Tensor Tensor => _tensor ??= ReadWhole();

    /// <summary>First value of the tensor, where it is in memory.</summary>
    public unsafe float* Memory => _tensor is null ? null : _tensor.FloatPointer();

    /// <summary>How many elements a block has.</summary>
    private int BlockLength(int block) => (int)Math.Min(_blockElements, Stored.ElementCount - (block * _blockElements));

    /// <summary>Reads one block. Blocks may be read at the same time.</summary>
    /// <param name="block">Which one.</param>
    /// <param name="values">Room for its elements.</param>
    public void ReadBlock(int block, Span<float> values)
    {
        long start = block * _blockElements;
        if (_blockHashes[block] is not null)
        {
            StoredTensorReader.Read(Stored, start, values, crc: null);
            return;
        }

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Crc32? crc = HasOwnCrc ? new Crc32() : null;
        bool isZero = true;
        for (int i = 0; i < values.Length; i += ChunkElements)
        {
            _cancellationToken.ThrowIfCancellationRequested();
            Span<float> chunk = values.Slice(i, Math.Min(ChunkElements, values.Length - i));
            StoredTensorReader.Read(Stored, start + i, chunk, crc);
            (bool isFinite, bool isChunkZero) = FloatBlock.Inspect(chunk);
            isZero &= isChunkZero;
            if (!isFinite)
            {
                RememberNotFinite(chunk, start + i);
            }

            hash.AppendData(MemoryMarshal.AsBytes(chunk));
        }

        lock (_lock)
        {
            _isZero &= isZero;
            _blockCrcs[block] = crc?.GetCurrentHashAsUInt32() ?? 0;
            _blockHashes[block] = hash.GetHashAndReset();
        }
    }

    /// <summary>Reads what has not been read, for nothing but to look it over.</summary>
    public void ReadRest()
    {
        ParallelWork.Run(
            Enumerable.Range(0, Original is null ? BlockCount : 0).Where(block => _blockHashes[block] is null),
            block =>
            {
                float[] values = ArrayPool<float>.Shared.Rent(BlockLength(block));
                ReadBlock(block, values.AsSpan(0, BlockLength(block)));
                ArrayPool<float>.Shared.Return(values);
            },
            _cancellationToken
        );
    }

    /// <summary>SHA-256 over the hashes of the blocks: equal values of one shape have equal hashes whatever they were stored as.</summary>
    public byte[] ValuesHash()
    {
        if (Original is not null)
        {
            return Original.ValuesHash();
        }

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (byte[]? block in _blockHashes)
        {
            hash.AppendData(block ?? throw new InvalidOperationException($"'{Name}' has not been read to its end."));
        }

        return hash.GetHashAndReset();
    }

    /// <summary>Whether reading it reads all of a source that has a checksum.</summary>
    public bool HasOwnCrc => Original is null && Stored.Source.Crc is not null && Stored.IsWholeSource;

    /// <exception cref="Loading.LoadRefusedException">The source's checksum is another than that of what was read.</exception>
    public void CheckCrc()
    {
        if (!HasOwnCrc)
        {
            return;
        }

        uint crc = 0;
        for (int block = 0; block < _blockCrcs.Length; block++)
        {
            crc = CrcBlocks.Combine(crc, _blockCrcs[block], (long)BlockLength(block) * Stored.Type.Bytes);
        }

        Stored.Source.CheckCrc(crc);
    }

    public void Dispose()
    {
        _tensor?.Dispose();
        _tensor = null;
    }

    private unsafe Tensor ReadWhole()
    {
        if (Original is not null)
        {
            return Original.Tensor.alias().DetachFromDisposeScope();
        }

        Tensor whole = empty(Stored.Shape, dtype: ScalarType.Float32, device: CPU).DetachFromDisposeScope();
        try
        {
            float* values = whole.FloatPointer();
            HugePages.Advise(values, (nuint)Stored.ElementCount * sizeof(float));
            ParallelWork.Run(
                Enumerable.Range(0, BlockCount),
                block => ReadBlock(block, new Span<float>(values + (block * _blockElements), BlockLength(block))),
                _cancellationToken
            );
            return whole;
        }
        catch
        {
            whole.Dispose();
            throw;
        }
    }

    private void RememberNotFinite(ReadOnlySpan<float> chunk, long start)
    {
        int index = 0;
        while (float.IsFinite(chunk[index]))
        {
            index++;
        }

        lock (_lock)
        {
            if (start + index < _firstNotFinite)
            {
                (_firstNotFinite, _notFiniteValue) = (start + index, chunk[index]);
            }
        }
    }
}
