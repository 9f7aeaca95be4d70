// safetensors (https://github.com/huggingface/safetensors#format):
//
//   8 bytes   N, little-endian: length of the header
//   N bytes   JSON object: {"name": {"dtype": "F32", "shape": [120, 8], "data_offsets": [begin, end]}, …, "__metadata__": {…}}
//   the rest  the tensors' bytes, little-endian, row-major; offsets count from here; no holes, no overlap, nothing behind

using System.Buffers.Binary;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;
using Seq2Seq.Inference.Loading;

namespace Seq2Seq.Inference.Weights;

/// <summary>
/// Reads the header of a safetensors file as strictly as the reference implementation (0.8), and refuses a name or a
/// field that stands twice as well. Time and memory are bounded by the length of the header.
/// </summary>
internal static class SafetensorsReader
{
    // The reference implementation's own limit.
    private const int MaxHeaderBytes = 100_000_000;

    // torch's own limit.
    private const int MaxDimensions = 64;
    private const int MaxTensors = 1 << 18;
    private const string Metadata = "__metadata__";

    /// <summary>Whether a file begins as a safetensors file does: a length, and an object.</summary>
    public static bool Recognizes(ReadOnlySpan<byte> beginning) =>
        beginning.Length > 8
        && beginning[8] == '{'
        && BinaryPrimitives.ReadUInt64LittleEndian(beginning) <= MaxHeaderBytes;

    /// <exception cref="LoadRefusedException">The file breaks the rules of the format; names the tensor where one is at fault.</exception>
    public static IReadOnlyList<StoredTensor> Read(SafeFileHandle handle, string name)
    {
        long length = RandomAccess.GetLength(handle);
        var file = new FileBytes(handle, name, 0, length);
        if (length < 8)
        {
            throw Corrupt(name, $"{length} bytes are too few for a safetensors file; expected at least 8.");
        }

        Span<byte> prefix = stackalloc byte[8];
        file.Read(0, prefix);
        ulong headerLength = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (headerLength > MaxHeaderBytes)
        {
            throw Corrupt(name, $"the header claims {headerLength} bytes; expected at most {MaxHeaderBytes}.");
        }

        if (headerLength > (ulong)(length - 8))
        {
            throw Corrupt(
                name,
                $"the header claims {headerLength} bytes; the file holds {length - 8} after its length."
            );
        }

        byte[] header = new byte[(int)headerLength];
        file.Read(8, header);
        long dataStart = 8 + header.Length;
        var data = new FileBytes(handle, name, dataStart, length - dataStart);
        List<StoredTensor> tensors;
        try
        {
            tensors = ReadHeader(header, name, data);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw Corrupt(name, $"the header is not a JSON object of tensors: {exception.Message}", exception);
        }

        CheckCover(tensors, name, data.Length);
        return tensors;
    }

    private static List<StoredTensor> ReadHeader(byte[] header, string name, FileBytes data)
    {
        var reader = new Utf8JsonReader(header);
        var tensors = new List<StoredTensor>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        Expect(ref reader, JsonTokenType.StartObject, name, "an object");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string tensorName = reader.GetString()!;
            if (!names.Add(tensorName))
            {
                throw Corrupt(name, $"tensor '{UntrustedText.Printable(tensorName)}' stands twice in the header.");
            }

            if (tensorName == Metadata)
            {
                reader.Read();
                reader.Skip();
                continue;
            }

            if (tensors.Count == MaxTensors)
            {
                throw Corrupt(name, $"the header names more than {MaxTensors} tensors.");
            }

            tensors.Add(ReadEntry(ref reader, tensorName, name, data));
        }

        // One more Read sees garbage behind the object.
        reader.Read();
        return tensors;
    }

    private static StoredTensor ReadEntry(ref Utf8JsonReader reader, string tensor, string name, FileBytes data)
    {
        Expect(
            ref reader,
            JsonTokenType.StartObject,
            name,
            $"an object for tensor '{UntrustedText.Printable(tensor)}'"
        );
        ElementType? type = null;
        long[]? shape = null;
        long[]? offsets = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string field = reader.GetString()!;
            reader.Read();
            bool isRepeated = false;
            switch (field)
            {
                case "dtype":
                    isRepeated = type is not null;
                    type = ReadType(ref reader, tensor, name);
                    break;
                case "shape":
                    isRepeated = shape is not null;
                    shape = ReadNumbers(ref reader, tensor, field, name);
                    break;
                case "data_offsets":
                    isRepeated = offsets is not null;
                    offsets = ReadNumbers(ref reader, tensor, field, name);
                    break;
                default:
                    reader.Skip();
                    break;
            }

            if (isRepeated)
            {
                throw Corrupt(name, $"tensor '{UntrustedText.Printable(tensor)}' has '{field}' twice.");
            }
        }

        if (type is null || shape is null || offsets is null)
        {
            string absent =
                type is null ? "dtype"
                : shape is null ? "shape"
                : "data_offsets";
            throw Corrupt(name, $"tensor '{UntrustedText.Printable(tensor)}' has no '{absent}'.");
        }

        CheckSize(tensor, type, shape, offsets, name, data.Length);
        return new StoredTensor
        {
            Name = tensor,
            File = name,
            Type = type,
            Shape = shape,
            Source = data,
            Offset = offsets[0],
        };
    }

    private static void CheckSize(
        string tensor,
        ElementType type,
        long[] shape,
        long[] offsets,
        string name,
        long dataLength
    )
    {
        if (offsets.Length != 2 || offsets[0] > offsets[1] || offsets[1] > dataLength)
        {
            throw Corrupt(
                name,
                $"tensor '{UntrustedText.Printable(tensor)}' has data_offsets {TensorShape.Print(offsets)}; expected [begin, end] within the {dataLength} bytes of data."
            );
        }

        if (
            !TensorShape.TryElementCount(shape, out long count)
            || Math.BigMul(count, type.Bits, out long bits) != 0
            || bits < 0
        )
        {
            throw Corrupt(
                name,
                $"tensor '{UntrustedText.Printable(tensor)}' has the impossible shape {TensorShape.Print(shape)}."
            );
        }

        if (bits % 8 != 0 || bits / 8 != offsets[1] - offsets[0])
        {
            throw Corrupt(
                name,
                $"tensor '{UntrustedText.Printable(tensor)}' of {type.Name} {TensorShape.Print(shape)} takes {bits / 8} bytes; its data_offsets give it {offsets[1] - offsets[0]}."
            );
        }
    }

    // The format allows neither holes nor overlaps; bytes that two tensors share may be a forgery.
    private static void CheckCover(List<StoredTensor> tensors, string name, long dataLength)
    {
        long end = 0;
        foreach (StoredTensor tensor in tensors.OrderBy(t => t.Offset).ThenBy(t => t.ElementCount))
        {
            if (tensor.Offset != end)
            {
                string fault = tensor.Offset < end ? "overlaps the tensor before it" : "leaves a hole before it";
                throw Corrupt(
                    name,
                    $"tensor '{UntrustedText.Printable(tensor.Name)}' {fault}: it begins at {tensor.Offset}, expected {end}."
                );
            }

            end += tensor.ElementCount * tensor.Type.Bits / 8;
        }

        if (end != dataLength)
        {
            throw Corrupt(name, $"the tensors take {end} bytes of data; the file holds {dataLength}.");
        }
    }

    private static ElementType ReadType(ref Utf8JsonReader reader, string tensor, string name)
    {
        string? text = reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
        return text is not null && ElementType.TryParse(text, out ElementType type)
            ? type
            : throw Corrupt(
                name,
                $"tensor '{UntrustedText.Printable(tensor)}' has dtype '{UntrustedText.Printable(text ?? reader.TokenType.ToString())}', which the format does not know."
            );
    }

    private static long[] ReadNumbers(ref Utf8JsonReader reader, string tensor, string field, string name)
    {
        var numbers = new List<long>();
        bool isArray = reader.TokenType == JsonTokenType.StartArray;
        while (isArray && reader.Read() && reader.TokenType == JsonTokenType.Number)
        {
            if (!reader.TryGetInt64(out long number) || number < 0 || numbers.Count == MaxDimensions)
            {
                break;
            }

            numbers.Add(number);
        }

        return isArray && reader.TokenType == JsonTokenType.EndArray
            ? [.. numbers]
            : throw Corrupt(
                name,
                $"tensor '{UntrustedText.Printable(tensor)}' has a '{field}' that is not an array of at most {MaxDimensions} whole numbers from 0 to 2^63 − 1."
            );
    }

    private static void Expect(ref Utf8JsonReader reader, JsonTokenType type, string name, string expected)
    {
        if (!reader.Read() || reader.TokenType != type)
        {
            throw Corrupt(name, $"the header holds {reader.TokenType}; expected {expected}.");
        }
    }

    private static LoadRefusedException Corrupt(string name, string message, Exception? cause = null) =>
        new(LoadCodes.WeightsCorrupt, $"{name}: {message}", cause);
}
