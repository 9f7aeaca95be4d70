using System.IO.Hashing;

namespace Seq2Seq.Inference.Weights;

/// <summary>A tensor that lies in its storage with gaps or transposed, put in row-major order when it is first read.</summary>
internal sealed class GatheredBytes : ByteSource
{
    private readonly Lazy<byte[]> _bytes;

    /// <param name="view">The tensor: where its first element lies, and its shape.</param>
    /// <param name="strides">Elements from one index to the next, by dimension; every element lies within the storage.</param>
    public GatheredBytes(StoredTensor view, long[] strides)
        : base(view.Source.Description, view.Source.Position + view.Offset, view.ElementCount * view.Type.Bytes)
    {
        IsBigEndian = view.Source.IsBigEndian;
        _bytes = new Lazy<byte[]>(() => Gather(view, strides));
    }

    public override void Read(long offset, Span<byte> destination) =>
        _bytes.Value.AsSpan((int)offset, destination.Length).CopyTo(destination);

    private static byte[] Gather(StoredTensor view, long[] strides)
    {
        ByteSource source = view.Source;
        if (source.Length > Array.MaxLength)
        {
            throw new Loading.LoadRefusedException(
                Loading.LoadCodes.WeightsUnreadable,
                $"{source.Description}: tensor '{view.Name}' is not contiguous in a storage of {source.Length} bytes; expected at most {Array.MaxLength}."
            );
        }

        byte[] storage = new byte[source.Length];
        source.Read(0, storage);
        source.CheckCrc(Crc32.HashToUInt32(storage));
        int size = view.Type.Bytes;
        byte[] gathered = new byte[view.ElementCount * size];
        long[] index = new long[view.Shape.Length];
        long place = view.Offset;
        for (int to = 0; to < gathered.Length; to += size)
        {
            storage.AsSpan((int)place, size).CopyTo(gathered.AsSpan(to));
            for (int dimension = index.Length - 1; dimension >= 0; dimension--)
            {
                place += strides[dimension] * size;
                if (++index[dimension] < view.Shape[dimension])
                {
                    break;
                }

                place -= view.Shape[dimension] * strides[dimension] * size;
                index[dimension] = 0;
            }
        }

        return gathered;
    }
}
