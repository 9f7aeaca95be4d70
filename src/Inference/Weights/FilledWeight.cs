using System.Globalization;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Seq2Seq.Inference.Weights.Zip;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Weights;

/// <summary>
/// One stored tensor on its way into float32 memory: cut into blocks that several threads read, convert, look over and
/// hash, each byte while it is in the cache.
/// </summary>
internal sealed class FilledWeight : IDisposable
{
    // 16 MiB of float32: large enough to hash at full speed, small enough to keep two cores busy on one embedding.
    private const int BlockElements = 1 << 22;

    // 256 KiB of float32: fits the second-level cache.
    private const int ChunkElements = 1 << 16;

    private readonly byte[][] _blockHashes;
    private readonly uint[] _blockCrcs;
    private readonly Lock _lock = new();
    private bool _isZero = true;
    private long _firstNotFinite = long.MaxValue;
    private float _notFiniteValue;

    public FilledWeight(string name, StoredTensor stored)
    {
        Name = name;
        Stored = stored;
        Tensor = empty(stored.Shape, dtype: ScalarType.Float32, device: CPU);
        _blockHashes = new byte[(int)((stored.ElementCount + BlockElements - 1) / BlockElements)][];
        _blockCrcs = new uint[_blockHashes.Length];
    }

    /// <summary>The first parameter that it fills.</summary>
    public string Name { get; }

    public StoredTensor Stored { get; }

    /// <summary>The values, once every block is read.</summary>
    public Tensor Tensor { get; private set; }

    public int BlockCount => _blockHashes.Length;

    /// <summary>Whether every value is zero.</summary>
    public bool IsZero => _isZero;

    /// <summary>Where the first value that is NaN or infinite stands, and which it is; null when all are finite.</summary>
    public string? NotFinite =>
        _firstNotFinite == long.MaxValue
            ? null
            : string.Create(
                CultureInfo.InvariantCulture,
                $"{_notFiniteValue} at element {_firstNotFinite} of {Stored.ElementCount}"
            );

    /// <summary>Reads one block. Blocks may be read at the same time.</summary>
    public void ReadBlock(int block, CancellationToken cancellationToken)
    {
        long start = (long)block * BlockElements;
        int count = (int)Math.Min(BlockElements, Stored.ElementCount - start);
        using Tensor flat = Tensor.view(-1);
        using Tensor slice = flat.narrow(0, start, count);
        Span<float> values = MemoryMarshal.Cast<byte, float>(slice.bytes);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Crc32? crc = HasOwnCrc ? new Crc32() : null;
        bool isZero = true;
        for (int i = 0; i < count; i += ChunkElements)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Span<float> chunk = values.Slice(i, Math.Min(ChunkElements, count - i));
            StoredTensorReader.Read(Stored, start + i, chunk, crc);
            (bool isFinite, bool isChunkZero) = FloatBlock.Inspect(chunk);
            isZero &= isChunkZero;
            if (!isFinite)
            {
                RememberNotFinite(chunk, start + i);
            }

            hash.AppendData(MemoryMarshal.AsBytes(chunk));
        }

        _blockHashes[block] = hash.GetHashAndReset();
        _blockCrcs[block] = crc?.GetCurrentHashAsUInt32() ?? 0;
        lock (_lock)
        {
            _isZero &= isZero;
        }
    }

    /// <summary>SHA-256 over the hashes of the blocks: equal values have equal hashes whatever they were stored as.</summary>
    public byte[] ValuesHash()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (byte[] block in _blockHashes)
        {
            hash.AppendData(block);
        }

        return hash.GetHashAndReset();
    }

    /// <summary>Whether reading it reads all of a source that has a checksum.</summary>
    public bool HasOwnCrc => Stored.Source.Crc is not null && Stored.IsWholeSource;

    /// <exception cref="Loading.LoadRefusedException">The source's checksum is another than that of what was read.</exception>
    public void CheckCrc()
    {
        if (!HasOwnCrc)
        {
            return;
        }

        long blockBytes = (long)BlockElements * Stored.Type.Bytes;
        uint crc = 0;
        for (int block = 0; block < _blockCrcs.Length; block++)
        {
            long length = Math.Min(blockBytes, Stored.Source.Length - block * blockBytes);
            crc = CrcBlocks.Combine(crc, _blockCrcs[block], length);
        }

        Stored.Source.CheckCrc(crc);
    }

    /// <summary>Gives up the own memory for that of an equal tensor.</summary>
    public void Share(FilledWeight equal) => Replace(equal.Tensor.alias());

    public void MoveTo(Device device) => Replace(Tensor.to(device, disposeAfter: false));

    public void Dispose() => Tensor.Dispose();

    private void Replace(Tensor tensor)
    {
        if (!ReferenceEquals(tensor, Tensor))
        {
            Tensor.Dispose();
            Tensor = tensor;
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
