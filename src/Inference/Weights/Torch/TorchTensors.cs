using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Weights.Pickle;

namespace Seq2Seq.Inference.Weights.Torch;

/// <summary>
/// Turns a pickle's claims about tensors into stored tensors, once they are seen to be true: every view must lie within
/// its storage, and hold no more elements than that.
/// </summary>
internal sealed class TorchTensors(string file, Func<PickleStorage, ElementType, ByteSource> openStorage)
{
    // Views may overlap (tied weights, fused projections); no checkpoint needs its storages this many times over.
    private const long MaxReuse = 8;

    private readonly Dictionary<string, ByteSource> _storages = new(StringComparer.Ordinal);
    private readonly Dictionary<(ByteSource, long, string), ByteSource> _gathered = [];
    private readonly HashSet<(ByteSource, long, string)> _views = [];
    private long _storedBytes;
    private long _viewedBytes;

    /// <exception cref="LoadRefusedException">A tensor's record is impossible; names the tensor.</exception>
    public IReadOnlyList<StoredTensor> Resolve(IReadOnlyList<(string Name, PickleTensor Tensor)> tensors)
    {
        StoredTensor[] resolved = [.. tensors.Select(item => Resolve(item.Name, item.Tensor))];
        return _viewedBytes <= _storedBytes * MaxReuse
            ? resolved
            : throw new LoadRefusedException(
                LoadCodes.WeightsCorrupt,
                $"{file}: the tensors take {_viewedBytes} bytes out of storages of {_storedBytes}; expected at most {MaxReuse} times as many."
            );
    }

    private StoredTensor Resolve(string name, PickleTensor tensor)
    {
        ElementType storageType =
            PickleAllowList.ElementTypeOf(tensor.Storage.Type)
            ?? throw Impossible(name, $"its storage is a {tensor.Storage.Type}");
        ElementType type = tensor.Type is null
            ? storageType
            : PickleAllowList.ElementTypeOf(tensor.Type) ?? throw Impossible(name, $"its type is {tensor.Type}");
        ByteSource storage = OpenStorage(name, tensor.Storage, storageType);
        long offset = CheckView(name, tensor, type, storage.Length / type.Bytes);
        var stored = new StoredTensor
        {
            Name = name,
            File = file,
            Type = type,
            Shape = tensor.Shape,
            Source = storage,
            Offset = offset * type.Bytes,
        };
        if (_views.Add((storage, stored.Offset, $"{stored.Layout} {string.Join(',', tensor.Strides)}")))
        {
            _viewedBytes += stored.ElementCount * type.Bytes;
        }

        return IsRowMajor(tensor) ? stored : Gather(stored, tensor.Strides);
    }

    private ByteSource OpenStorage(string name, PickleStorage storage, ElementType type)
    {
        if (!_storages.TryGetValue(storage.Key, out ByteSource? source))
        {
            source = openStorage(storage, type);
            _storages.Add(storage.Key, source);
            _storedBytes += source.Length;
        }

        return
            storage.Count >= 0
            && storage.Count <= long.MaxValue / type.Bytes
            && storage.Count * type.Bytes == source.Length
            ? source
            : throw Impossible(
                name,
                $"its storage '{UntrustedText.Printable(storage.Key)}' should hold {storage.Count} elements of {type.Name}; the file has {source.Length} bytes of it"
            );
    }

    /// <summary>The first element's place in the storage; every element's place is checked.</summary>
    private long CheckView(string name, PickleTensor tensor, ElementType type, long storageCount)
    {
        (long[] shape, long[] strides) = (tensor.Shape, tensor.Strides);
        string view =
            $"a view of shape {TensorShape.Print(shape)}, strides {TensorShape.Print(strides)}, offset {tensor.Offset}";
        Int128 offset = (Int128)tensor.Offset + tensor.Storage.ViewOffset;
        if (
            tensor.Offset < 0
            || tensor.Storage.ViewOffset < 0
            || shape.Length != strides.Length
            || strides.Any(stride => stride < 0)
            || !TensorShape.TryElementCount(shape, out long count)
        )
        {
            throw Impossible(name, $"it is {view}");
        }

        Int128 last = offset;
        for (int i = 0; i < shape.Length && count > 0; i++)
        {
            last += (Int128)(shape[i] - 1) * strides[i];
        }

        return offset <= storageCount && (count == 0 || last < storageCount) && count <= storageCount
            ? (long)offset
            : throw Impossible(name, $"it is {view} of a storage of {storageCount} elements of {type.Name}");
    }

    private StoredTensor Gather(StoredTensor view, long[] strides)
    {
        var key = (view.Source, view.Offset, $"{view.Layout} {string.Join(',', strides)}");
        if (!_gathered.TryGetValue(key, out ByteSource? gathered))
        {
            gathered = new GatheredBytes(view, strides);
            _gathered.Add(key, gathered);
        }

        return view with
        {
            Source = gathered,
            Offset = 0,
        };
    }

    private static bool IsRowMajor(PickleTensor tensor)
    {
        long expected = 1;
        for (int i = tensor.Shape.Length - 1; i >= 0; i--)
        {
            if (tensor.Shape[i] > 1 && tensor.Strides[i] != expected)
            {
                return false;
            }

            expected *= tensor.Shape[i];
        }

        return true;
    }

    private LoadRefusedException Impossible(string name, string message) =>
        new(LoadCodes.WeightsCorrupt, $"{file}: tensor '{UntrustedText.Printable(name)}' is impossible: {message}.");
}
