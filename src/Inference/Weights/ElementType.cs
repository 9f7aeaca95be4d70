namespace Seq2Seq.Inference.Weights;

/// <summary>The type of a stored tensor's elements, under its name in the safetensors format.</summary>
/// <param name="Name">Such as <c>F32</c>.</param>
/// <param name="Bits">Bits of one element.</param>
/// <param name="IsReadable">Whether a parameter may be stored so: the floating-point types that float32 is made of.</param>
internal sealed record ElementType(string Name, int Bits, bool IsReadable = false)
{
    public static readonly ElementType Float16 = new("F16", 16, IsReadable: true);
    public static readonly ElementType BFloat16 = new("BF16", 16, IsReadable: true);
    public static readonly ElementType Float32 = new("F32", 32, IsReadable: true);
    public static readonly ElementType Float64 = new("F64", 64, IsReadable: true);
    public static readonly ElementType Bool = new("BOOL", 8);
    public static readonly ElementType UInt8 = new("U8", 8);
    public static readonly ElementType Int8 = new("I8", 8);
    public static readonly ElementType Int16 = new("I16", 16);
    public static readonly ElementType Int32 = new("I32", 32);
    public static readonly ElementType Int64 = new("I64", 64);
    public static readonly ElementType UInt16 = new("U16", 16);
    public static readonly ElementType UInt32 = new("U32", 32);
    public static readonly ElementType UInt64 = new("U64", 64);
    public static readonly ElementType Float8E4M3 = new("F8_E4M3", 8);
    public static readonly ElementType Float8E5M2 = new("F8_E5M2", 8);
    public static readonly ElementType Complex64 = new("C64", 64);

    // https://github.com/huggingface/safetensors, the Dtype enum of version 0.8.
    private static readonly Dictionary<string, ElementType> _byName = new ElementType[]
    {
        Float16,
        BFloat16,
        Float32,
        Float64,
        Bool,
        UInt8,
        Int8,
        Int16,
        Int32,
        Int64,
        Complex64,
        UInt16,
        UInt32,
        UInt64,
        Float8E4M3,
        Float8E5M2,
        new("F4", 4),
        new("F6_E2M3", 6),
        new("F6_E3M2", 6),
        new("F8_E8M0", 8),
        new("F8_E4M3FNUZ", 8),
        new("F8_E5M2FNUZ", 8),
    }.ToDictionary(type => type.Name, StringComparer.Ordinal);

    public int Bytes => Bits / 8;

    public static bool TryParse(string name, out ElementType type) => _byName.TryGetValue(name, out type!);
}
