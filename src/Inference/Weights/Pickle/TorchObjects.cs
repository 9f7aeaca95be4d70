namespace Seq2Seq.Inference.Weights.Pickle;

/// <summary>
/// What the names on <see cref="PickleAllowList"/> make when a pickle "calls" them: plain records of what the file claims.
/// Nothing is executed, imported or looked up.
/// </summary>
internal sealed class TorchObjects(PickleInput input, PickleStack stack)
{
    // torch's own limit. A tuple may be used in many places, and its numbers are copied in each.
    private const int MaxDimensions = 64;

    private readonly Dictionary<string, PickleGlobal> _storages = new(StringComparer.Ordinal);

    /// <summary>The class of every storage that the pickle names, by key.</summary>
    public IReadOnlyDictionary<string, PickleGlobal> Storages => _storages;

    public PickleGlobal FindGlobal(string module, string name) =>
        PickleAllowList.Find(module, name)
        ?? throw input.Forbid(
            $"it reaches for {UntrustedText.Printable($"{module}.{name}")}, which is not on the list of what a state dict may hold"
        );

    /// <summary>REDUCE and NEWOBJ.</summary>
    public object Call(object? callee, object? arguments)
    {
        if (callee is not PickleGlobal global || arguments is not PickleTuple { Items: var items })
        {
            throw input.Forbid("it calls something that is not a known function");
        }

        return (global.Name, items) switch
        {
            ("OrderedDict", []) => new PickleDict(),
            ("OrderedDict", [PickleList pairs]) => DictOf(pairs),
            ("Size", [PickleTuple size]) => size,
            ("_rebuild_parameter", [PickleTensor tensor, ..]) => tensor,
            (
                "_rebuild_tensor"
                    or "_rebuild_tensor_v2",
                [PickleStorage storage, long offset, { } shape, { } strides, ..]
            ) => new PickleTensor(storage, offset, Integers(shape), Integers(strides)),
            (
                "_rebuild_tensor_v3",
                [PickleStorage storage, long offset, { } shape, { } strides, _, _, PickleGlobal type, ..]
            ) => new PickleTensor(storage, offset, Integers(shape), Integers(strides), type),
            _ => throw input.Refuse($"{global} is called with arguments that it does not take"),
        };
    }

    /// <summary>
    /// BINPERSID: <c>('storage', torch.FloatStorage, '0', 'cpu', 960)</c>; in old files None stands behind, or the
    /// <c>(view key, offset, size)</c> of a view of that storage.
    /// </summary>
    public PickleStorage ReadStorage(object? persistentId)
    {
        (PickleGlobal type, string key, long count, long offset) = persistentId switch
        {
            PickleTuple { Items: ["storage", PickleGlobal t, string k, _, long c] } => (t, k, c, 0L),
            PickleTuple { Items: ["storage", PickleGlobal t, string k, _, long c, null] } => (t, k, c, 0L),
            PickleTuple
            {
                Items: ["storage", PickleGlobal t, string k, _, long c, PickleTuple { Items: [_, long o, long] }]
            } => (t, k, c, o),
            _ => throw input.Refuse("a persistent id is not that of a storage"),
        };
        _storages[key] = type;
        return new PickleStorage(type, key, count, offset);
    }

    private PickleDict DictOf(PickleList pairs)
    {
        var dict = new PickleDict();
        foreach (object? pair in pairs.Items)
        {
            stack.CountObject();
            dict.Items.Add(
                pair switch
                {
                    PickleTuple { Items: [var key, var value] } => (key, value),
                    PickleList { Items: [var key, var value] } => (key, value),
                    _ => throw input.Refuse("an OrderedDict is made of something other than pairs"),
                }
            );
        }

        return dict;
    }

    private long[] Integers(object value) =>
        value is PickleTuple { Items.Length: <= MaxDimensions } tuple && tuple.Items.All(item => item is long)
            ? [.. tuple.Items.Cast<long>()]
            : throw input.Refuse(
                $"a tensor's size or strides are not a tuple of at most {MaxDimensions} whole numbers"
            );
}
