using System.Buffers.Binary;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;

namespace Seq2Seq.Inference.Tests.Weights.Torch;

/// <summary>Writes state dicts as torch.save does: its zip, and the stream it wrote before 1.6.</summary>
internal static class TorchCheckpoint
{
    public static byte[] Zip(params IReadOnlyList<(string Name, long[] Shape, float[] Values)> tensors) =>
        Zip(CompressionLevel.NoCompression, tensors);

    public static byte[] Zip(
        CompressionLevel compression,
        params IReadOnlyList<(string Name, long[] Shape, float[] Values)> tensors
    )
    {
        byte[][] storages = [.. Storages(tensors).Select(values => MemoryMarshal.AsBytes<float>(values).ToArray())];
        return Archive(compression, Pickle(tensors, isLegacy: false), storages);
    }

    /// <summary>An archive with any pickle.</summary>
    public static byte[] Archive(CompressionLevel compression, byte[] pickle, params IReadOnlyList<byte[]> storages)
    {
        using var file = new MemoryStream();
        using (var archive = new ZipArchive(file, ZipArchiveMode.Create, leaveOpen: true))
        {
            Add("data.pkl", pickle);
            for (int i = 0; i < storages.Count; i++)
            {
                Add($"data/{i}", storages[i]);
            }

            Add("byteorder", "little"u8.ToArray());
            Add("version", "3\n"u8.ToArray());

            void Add(string name, byte[] bytes)
            {
                using Stream entry = archive.CreateEntry($"pytorch_model/{name}", compression).Open();
                entry.Write(bytes);
            }
        }

        return file.ToArray();
    }

    public static byte[] Legacy(params IReadOnlyList<(string Name, long[] Shape, float[] Values)> tensors)
    {
        using var file = new MemoryStream();
        file.Write([0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, (byte)'.']);
        file.Write([0x80, 2, (byte)'M', 0xE9, 0x03, (byte)'.']);
        file.Write([0x80, 2, (byte)'}', .. Text("little_endian"), 0x88, (byte)'s', (byte)'.']);
        file.Write(Pickle(tensors, isLegacy: true));
        file.Write([
            0x80,
            2,
            (byte)']',
            (byte)'(',
            .. Storages(tensors).SelectMany((_, i) => Text($"{i}")),
            (byte)'e',
            (byte)'.',
        ]);
        foreach (float[] values in Storages(tensors))
        {
            file.Write(BitConverter.GetBytes((long)values.Length));
            file.Write(MemoryMarshal.AsBytes<float>(values));
        }

        return file.ToArray();
    }

    /// <summary>BINUNICODE.</summary>
    public static byte[] Text(string text)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(text);
        return [(byte)'X', .. Int32(utf8.Length), .. utf8];
    }

    // Tensors of the same array share a storage, as tied weights do.
    private static List<float[]> Storages(IReadOnlyList<(string Name, long[] Shape, float[] Values)> tensors) =>
        [.. tensors.Select(tensor => tensor.Values).Distinct(ReferenceEqualityComparer.Instance).Cast<float[]>()];

    private static byte[] Pickle(IReadOnlyList<(string Name, long[] Shape, float[] Values)> tensors, bool isLegacy)
    {
        List<float[]> storages = Storages(tensors);
        using var pickle = new MemoryStream();
        pickle.Write([0x80, 2, .. Global("collections", "OrderedDict"), (byte)')', (byte)'R', (byte)'(']);
        foreach ((string name, long[] shape, float[] values) in tensors)
        {
            string key = $"{storages.FindIndex(storage => ReferenceEquals(storage, values))}";
            pickle.Write([.. Text(name), .. Global("torch._utils", "_rebuild_tensor_v2"), (byte)'(', (byte)'(']);
            pickle.Write([.. Text("storage"), .. Global("torch", "FloatStorage"), .. Text(key), .. Text("cpu")]);
            pickle.Write([
                .. Integer(values.Length),
                .. isLegacy ? "N"u8 : default,
                (byte)'t',
                (byte)'Q',
                .. Integer(0),
            ]);
            pickle.Write([.. Tuple(shape), .. Tuple(Strides(shape)), 0x89]);
            pickle.Write([.. Global("collections", "OrderedDict"), (byte)')', (byte)'R', (byte)'t', (byte)'R']);
        }

        pickle.Write([(byte)'u', (byte)'.']);
        return pickle.ToArray();
    }

    private static long[] Strides(long[] shape)
    {
        long[] strides = new long[shape.Length];
        long stride = 1;
        for (int i = shape.Length - 1; i >= 0; i--)
        {
            strides[i] = stride;
            stride *= shape[i];
        }

        return strides;
    }

    private static byte[] Tuple(long[] values) => [(byte)'(', .. values.SelectMany(Integer), (byte)'t'];

    private static byte[] Integer(long value) => [(byte)'J', .. Int32((int)value)];

    private static byte[] Int32(int value)
    {
        byte[] bytes = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        return bytes;
    }

    private static byte[] Global(string module, string name) => [.. Encoding.UTF8.GetBytes($"c{module}\n{name}\n")];
}
