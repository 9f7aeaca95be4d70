using System.Text.Json;

namespace Seq2Seq.Inference.Tokenization.Layouts;

/// <summary>
/// A model folder seen by its tokenizer files. Files are read whole, bounded in size; whatever is wrong with one becomes
/// a <see cref="TokenizerLoadException"/> that names it.
/// </summary>
internal sealed class TokenizerFolder
{
    // The largest real ones (tokenizer.json of a 256,000 piece vocabulary) have 35 MB.
    private const long MaxFileBytes = 256L << 20;
    private const int MaxJsonDepth = 64;

    private readonly string _folder;

    private TokenizerFolder(string folder)
    {
        _folder = folder;
        Config = Json("config.json");
        TokenizerConfig = Json("tokenizer_config.json");
        Settings = Guard(
            "tokenizer_config.json",
            () => new TokenizerSettings(TokenizerConfig, Json("special_tokens_map.json"), Json("added_tokens.json"))
        );
    }

    public JsonElement? Config { get; }
    public JsonElement? TokenizerConfig { get; }
    public TokenizerSettings Settings { get; }

    /// <summary>The class that the files name, without a trailing Fast; else config.json's model type.</summary>
    public string? Kind => Text(TokenizerConfig, "tokenizer_class") ?? Text(Config, "model_type");

    public static Tokenizer Load(string folder)
    {
        if (!Directory.Exists(folder))
            throw new TokenizerLoadException(TokenizerLoadException.Missing, $"{folder} is not there.");
        var files = new TokenizerFolder(folder);
        if (files.Has("spiece.model"))
            return T5Layout.Load(files, "spiece.model");
        throw new TokenizerLoadException(
            TokenizerLoadException.Missing,
            $"{folder} has no tokenizer file that can be read (spiece.model)."
        );
    }

    public bool Has(string name) => File.Exists(Path.Combine(_folder, name));

    public byte[] Bytes(string name)
    {
        var path = Path.Combine(_folder, name);
        return Guard(
            name,
            () =>
                new FileInfo(path).Length <= MaxFileBytes
                    ? File.ReadAllBytes(path)
                    : throw new InvalidDataException($"It has more than {MaxFileBytes} bytes.")
        );
    }

    public JsonElement? Json(string name)
    {
        if (!Has(name))
            return null;
        var bytes = Bytes(name);
        var options = new JsonDocumentOptions { MaxDepth = MaxJsonDepth };
        return Guard(name, () => JsonDocument.Parse(WithoutMark(bytes), options).RootElement.Clone());
    }

    /// <summary>Runs what reads a file; its failures name the file.</summary>
    public T Guard<T>(string name, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e)
            when (e
                    is IOException
                        or InvalidDataException
                        or JsonException
                        or UnauthorizedAccessException
                        or FormatException
                        or OverflowException
                        or InvalidOperationException
                        or KeyNotFoundException
                        or ArgumentException
            )
        {
            throw new TokenizerLoadException(
                TokenizerLoadException.Invalid,
                $"{Path.Combine(_folder, name)} can't be used: {e.Message}",
                e
            );
        }
    }

    private static string? Text(JsonElement? json, string name) =>
        json is { ValueKind: JsonValueKind.Object }
        && json.Value.TryGetProperty(name, out var value)
        && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;

    private static ReadOnlyMemory<byte> WithoutMark(byte[] bytes) =>
        bytes.AsSpan().StartsWith("\uFEFF"u8) ? bytes.AsMemory(3) : bytes;
}
