using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Seq2Seq.Inference.Tokenization.SentencePiece;

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
    private readonly Dictionary<string, SentencePieceModel> _models = new(StringComparer.Ordinal);

    private TokenizerFolder(string folder)
    {
        _folder = folder;
        Config = Json("config.json");
        TokenizerConfig = Json("tokenizer_config.json");
        if (Json("tokenizer.json") is { } json)
            TokenizerJson = Guard("tokenizer.json", () => new TokenizerJson(json));
        Settings = Guard(
            "tokenizer_config.json",
            () =>
                new TokenizerSettings(
                    TokenizerConfig,
                    Json("special_tokens_map.json"),
                    Json("added_tokens.json"),
                    TokenizerJson
                )
        );
    }

    public JsonElement? Config { get; }
    public JsonElement? TokenizerConfig { get; }
    public TokenizerJson? TokenizerJson { get; }
    public TokenizerSettings Settings { get; }

    public static Tokenizer Load(string folder)
    {
        var (files, layout) = Open(folder);
        return files.Guard(layout.NameOfFiles(files), () => layout.Load(files));
    }

    /// <summary>The folder's files, and the layout that they have.</summary>
    public static (TokenizerFolder Files, TokenizerLayout Layout) Open(string folder)
    {
        if (!Directory.Exists(folder))
            throw new TokenizerLoadException(TokenizerLoadException.Missing, $"{folder} is not there.");
        var files = new TokenizerFolder(folder);
        return (files, files.Guard("tokenizer_config.json", () => TokenizerLayout.Find(files)));
    }

    public bool Has(string name) => File.Exists(Path.Combine(_folder, name));

    /// <exception cref="TokenizerLoadException">The file is not there or can't be read.</exception>
    public byte[] Bytes(string name)
    {
        var path = Path.Combine(_folder, name);
        if (!File.Exists(path))
            throw new TokenizerLoadException(TokenizerLoadException.Missing, $"{path} is not there.");
        return Guard(
            name,
            () =>
                new FileInfo(path).Length <= MaxFileBytes
                    ? File.ReadAllBytes(path)
                    : throw new InvalidDataException($"It has more than {MaxFileBytes} bytes.")
        );
    }

    /// <summary>A text file in UTF-8, without a byte order mark.</summary>
    public string Text(string name) => Encoding.UTF8.GetString(WithoutMark(Bytes(name)).Span);

    /// <summary>A JSON file, null when it is not there.</summary>
    public JsonElement? Json(string name)
    {
        if (!Has(name))
            return null;
        var bytes = Bytes(name);
        var options = new JsonDocumentOptions { MaxDepth = MaxJsonDepth };
        return Guard(
            name,
            () =>
                Utf8.IsValid(bytes)
                    ? JsonDocument.Parse(WithoutMark(bytes), options).RootElement
                    : throw new InvalidDataException("It is not UTF-8.")
        );
    }

    /// <summary>A sentencepiece model; read once, however often it is asked for.</summary>
    public SentencePieceModel SentencePiece(string name)
    {
        if (_models.TryGetValue(name, out var known))
            return known;
        var bytes = Bytes(name);
        return _models[name] = Guard(name, () => SentencePieceModelReader.Read(bytes));
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
                        or IndexOutOfRangeException
                        or ArgumentException
                        or EncodeException
            )
        {
            throw new TokenizerLoadException(
                TokenizerLoadException.Invalid,
                $"{Path.Combine(_folder, name)} can't be used: {e.Message}",
                e
            );
        }
    }

    public TokenizerLoadException Missing(string what) =>
        new(TokenizerLoadException.Missing, $"{_folder} has no {what}.");

    private static ReadOnlyMemory<byte> WithoutMark(byte[] bytes) =>
        bytes.AsSpan().StartsWith("\uFEFF"u8) ? bytes.AsMemory(3) : bytes;
}
