using System.Runtime.InteropServices;
using System.Text.Json;
using Seq2Seq.Inference.Tests.Weights;

namespace Seq2Seq.Inference.Tests.Families;

/// <summary>A tensor of a safetensors file.</summary>
internal sealed record SavedTensor(string Name, string Type, long[] Shape, byte[] Bytes)
{
    /// <summary>The values of a float32 tensor.</summary>
    public float[] Floats => MemoryMarshal.Cast<byte, float>(Bytes).ToArray();

    public static IReadOnlyList<SavedTensor> Read(string path)
    {
        byte[] file = File.ReadAllBytes(path);
        int data = 8 + (int)MemoryMarshal.Read<long>(file);
        return
        [
            .. JsonElement
                .Parse(file.AsSpan(8..data))
                .EnumerateObject()
                .Where(entry => entry.Name != "__metadata__")
                .Select(entry =>
                {
                    int[] offsets = entry.Value.GetProperty("data_offsets").Deserialize<int[]>()!;
                    return new SavedTensor(
                        entry.Name,
                        entry.Value.GetProperty("dtype").GetString()!,
                        entry.Value.GetProperty("shape").Deserialize<long[]>()!,
                        file[(data + offsets[0])..(data + offsets[1])]
                    );
                }),
        ];
    }

    public static byte[] Write(IReadOnlyList<SavedTensor> tensors) =>
        Safetensors.Write([.. tensors.Select(tensor => (tensor.Name, tensor.Type, tensor.Shape, tensor.Bytes))]);
}
