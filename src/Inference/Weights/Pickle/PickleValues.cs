namespace Seq2Seq.Inference.Weights.Pickle;

/// <summary>A tuple, whole when it is made.</summary>
internal sealed record PickleTuple(object?[] Items);

/// <summary>A list or a set. May hold itself; nothing here walks into it without a limit.</summary>
internal sealed class PickleList
{
    public List<object?> Items { get; } = [];
}

/// <summary>
/// A dict or OrderedDict: its pairs as they were put. Keys are never hashed or compared while a pickle is read, so no
/// choice of keys can make that slow.
/// </summary>
internal sealed class PickleDict
{
    public List<(object? Key, object? Value)> Items { get; } = [];
}

/// <summary>A class or function that the allow-list knows; a name, nothing that could be called.</summary>
internal sealed record PickleGlobal(string Module, string Name)
{
    public override string ToString() => $"{Module}.{Name}";
}

/// <summary>What a persistent id names: a storage of a torch file.</summary>
/// <param name="Type">Class of the storage, such as <c>torch.FloatStorage</c>.</param>
/// <param name="Key">The name of the storage in the file.</param>
/// <param name="Count">How many elements it claims to have.</param>
/// <param name="ViewOffset">For a view of another storage (old files): where it begins, in elements.</param>
internal sealed record PickleStorage(PickleGlobal Type, string Key, long Count, long ViewOffset);

/// <summary>A tensor as it is put together from a storage: unchecked claims of the file.</summary>
/// <param name="Storage">Where its elements are.</param>
/// <param name="Offset">Its first element.</param>
/// <param name="Shape">Its size.</param>
/// <param name="Strides">Elements from one index to the next, by dimension.</param>
/// <param name="Type">Type of the elements, where the storage is untyped.</param>
internal sealed record PickleTensor(
    PickleStorage Storage,
    long Offset,
    long[] Shape,
    long[] Strides,
    PickleGlobal? Type = null
);
