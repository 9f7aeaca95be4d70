using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Microsoft.Win32.SafeHandles;
using Seq2Seq.Inference.Weights;

namespace Seq2Seq.Inference.Loading;

/// <summary>
/// Reads a configuration file of a model folder as a JSON object: UTF-8 with or without byte order mark, comments and
/// trailing commas allowed, and NaN and Infinity as Python writes them (they read as texts, so that only a key that is
/// used is refused).
/// </summary>
internal static class ConfigurationFile
{
    private const int MaxBytes = 64 << 20;
    private const int MaxPrintedBytes = 40;

    private static readonly JsonDocumentOptions _lenient = new()
    {
        AllowTrailingCommas = true,
        CommentHandling = JsonCommentHandling.Skip,
        MaxDepth = 128,
    };

    /// <param name="folder">The model folder.</param>
    /// <param name="name">The file's name in it.</param>
    /// <exception cref="LoadRefusedException">The file can't be read, or holds no JSON object.</exception>
    public static ConfigurationSection Read(string folder, string name)
    {
        byte[] bytes = ReadBytes(folder, name);
        ReadOnlySpan<byte> json = bytes;
        if (json.StartsWith(Encoding.UTF8.Preamble))
        {
            json = json[Encoding.UTF8.Preamble.Length..];
        }

        // The JSON reader looks into texts only when they are asked for.
        if (!Utf8.IsValid(json))
        {
            throw new LoadRefusedException(
                LoadCodes.ConfigUnreadable,
                $"{name} is not UTF-8; it begins with {Print(json)}."
            );
        }

        JsonElement root;
        try
        {
            root = Parse(json.ToArray());
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            string what = ForeignContent.Describe(json) is { } foreign
                ? $"is {foreign}; expected a JSON object"
                : $"is not JSON (it begins with {Print(json)}): {exception.Message.TrimEnd('.')}";
            throw new LoadRefusedException(LoadCodes.ConfigUnreadable, $"{name} {what}.", exception);
        }

        return root.ValueKind == JsonValueKind.Object
            ? new ConfigurationSection(name, root)
            : throw new LoadRefusedException(
                LoadCodes.ConfigUnreadable,
                $"{name} holds JSON of kind {root.ValueKind}; expected an object."
            );
    }

    private static JsonElement Parse(byte[] json)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json, _lenient);
            return document.RootElement.Clone();
        }
        catch (JsonException) when (PythonNumbers.TryQuote(json, out byte[] quoted))
        {
            using JsonDocument document = JsonDocument.Parse(quoted, _lenient);
            return document.RootElement.Clone();
        }
    }

    private static byte[] ReadBytes(string folder, string name)
    {
        try
        {
            using SafeFileHandle handle = RegularFile.Open(Path.Join(folder, name), name);
            long length = RandomAccess.GetLength(handle);
            if (length > MaxBytes)
            {
                throw new LoadRefusedException(
                    LoadCodes.ConfigUnreadable,
                    $"{name} has {length} bytes; expected at most {MaxBytes}."
                );
            }

            byte[] bytes = new byte[(int)length];
            new FileBytes(handle, name, 0, length).Read(0, bytes);
            return bytes;
        }
        catch (LoadRefusedException exception) when (exception.Code == LoadCodes.WeightsUnreadable)
        {
            throw new LoadRefusedException(LoadCodes.ConfigUnreadable, exception.Message, exception);
        }
    }

    private static string Print(ReadOnlySpan<byte> json)
    {
        var text = new StringBuilder();
        foreach (byte value in json[..Math.Min(json.Length, MaxPrintedBytes)])
        {
            text.Append(value is >= 0x20 and < 0x7F ? (char)value : '?');
        }

        return $"'{text}'";
    }
}
