using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Seq2Seq.Inference.Tests.Weights;

/// <summary>Writes safetensors files, correct ones.</summary>
internal static class Safetensors
{
    public static byte[] Write(params IReadOnlyList<(string Name, long[] Shape, float[] Values)> tensors) =>
        Write([.. tensors.Select(t => (t.Name, "F32", t.Shape, MemoryMarshal.AsBytes<float>(t.Values).ToArray()))]);

    public static byte[] Write(IReadOnlyList<(string Name, string Type, long[] Shape, byte[] Bytes)> tensors)
    {
        var header = new Dictionary<string, object>(StringComparer.Ordinal);
        long offset = 0;
        foreach ((string name, string type, long[] shape, byte[] bytes) in tensors)
        {
            header.Add(
                name,
                new
                {
                    dtype = type,
                    shape,
                    data_offsets = new[] { offset, offset + bytes.Length },
                }
            );
            offset += bytes.Length;
        }

        return Write(JsonSerializer.Serialize(header), [.. tensors.SelectMany(tensor => tensor.Bytes)]);
    }

    /// <summary>A file with any header.</summary>
    public static byte[] Write(string header, byte[] data)
    {
        byte[] json = System.Text.Encoding.UTF8.GetBytes(header);
        byte[] length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, json.Length);
        return [.. length, .. json, .. data];
    }
}
