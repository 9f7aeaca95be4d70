namespace Seq2Seq.Inference.Weights.Pickle;

/// <summary>
/// Every class and function that a state dict may name. What each does is written in <see cref="Unpickler"/>; a name that
/// is not here is refused before anything is done with it.
/// </summary>
internal static class PickleAllowList
{
    /// <summary>Element types by storage class (<c>torch.FloatStorage</c>) or dtype (<c>torch.float32</c>).</summary>
    private static readonly Dictionary<string, ElementType> _elementTypes = new(StringComparer.Ordinal)
    {
        ["FloatStorage"] = ElementType.Float32,
        ["DoubleStorage"] = ElementType.Float64,
        ["HalfStorage"] = ElementType.Float16,
        ["BFloat16Storage"] = ElementType.BFloat16,
        ["LongStorage"] = ElementType.Int64,
        ["IntStorage"] = ElementType.Int32,
        ["ShortStorage"] = ElementType.Int16,
        ["CharStorage"] = ElementType.Int8,
        ["ByteStorage"] = ElementType.UInt8,
        ["BoolStorage"] = ElementType.Bool,
        ["UntypedStorage"] = ElementType.UInt8,
        ["float32"] = ElementType.Float32,
        ["float64"] = ElementType.Float64,
        ["float16"] = ElementType.Float16,
        ["bfloat16"] = ElementType.BFloat16,
        ["int64"] = ElementType.Int64,
        ["int32"] = ElementType.Int32,
        ["int16"] = ElementType.Int16,
        ["int8"] = ElementType.Int8,
        ["uint8"] = ElementType.UInt8,
        ["bool"] = ElementType.Bool,
        ["ComplexFloatStorage"] = ElementType.Complex64,
        ["uint16"] = ElementType.UInt16,
        ["uint32"] = ElementType.UInt32,
        ["uint64"] = ElementType.UInt64,
        ["float8_e4m3fn"] = ElementType.Float8E4M3,
        ["float8_e5m2"] = ElementType.Float8E5M2,
    };

    private static readonly Dictionary<(string Module, string Name), PickleGlobal> _globals = Globals()
        .ToDictionary(global => (global.Module, global.Name));

    public static PickleGlobal? Find(string module, string name) => _globals.GetValueOrDefault((module, name));

    /// <summary>The type of the elements of a storage class or dtype; null when it is neither.</summary>
    public static ElementType? ElementTypeOf(PickleGlobal global) =>
        global.Module is "torch" or "torch.storage" ? _elementTypes.GetValueOrDefault(global.Name) : null;

    private static IEnumerable<PickleGlobal> Globals() =>
        [
            new("collections", "OrderedDict"),
            new("torch._utils", "_rebuild_tensor"),
            new("torch._utils", "_rebuild_tensor_v2"),
            new("torch._utils", "_rebuild_tensor_v3"),
            new("torch._utils", "_rebuild_parameter"),
            new("torch", "Size"),
            new("torch.storage", "UntypedStorage"),
            .. _elementTypes.Keys.Select(name => new PickleGlobal("torch", name)),
        ];
}
