using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Seq2Seq.Inference.Tests.Families;

/// <summary>Tensors of a reference file, by name, as flat arrays.</summary>
internal sealed class GoldenTensors
{
    private readonly byte[] _file;
    private readonly JsonElement _header;
    private readonly int _data;

    private GoldenTensors(byte[] file)
    {
        _file = file;
        int length = (int)BinaryPrimitives.ReadInt64LittleEndian(file);
        _header = JsonElement.Parse(file.AsSpan(8, length));
        _data = 8 + length;
    }

    public static GoldenTensors Read(string path) => new(File.ReadAllBytes(path));

    public int[] Shape(string name) => _header.GetProperty(name).GetProperty("shape").Deserialize<int[]>()!;

    public ReadOnlySpan<float> Floats(string name) => MemoryMarshal.Cast<byte, float>(Bytes(name));

    public ReadOnlySpan<long> Integers(string name) => MemoryMarshal.Cast<byte, long>(Bytes(name));

    private ReadOnlySpan<byte> Bytes(string name)
    {
        int[] offsets = _header.GetProperty(name).GetProperty("data_offsets").Deserialize<int[]>()!;
        return _file.AsSpan((_data + offsets[0])..(_data + offsets[1]));
    }
}
