using System.Runtime.InteropServices;
using System.Text.Json;
using Seq2Seq.Inference.Tests.Tokenization;
using Seq2Seq.Inference.Tokenization;

namespace Seq2Seq.Inference.Tests.Fuzzing;

/// <summary>Any text, in UTF-16, through a good tokenizer and back.</summary>
internal sealed class EncodeTarget(string folder) : FuzzTarget($"encode/{folder}")
{
    private const int LongestLine = 512;

    private readonly Lazy<Tokenizer> _tokenizer = new(() => Tokenizer.Load(ReferenceFolders.PathOf(folder)));
    private readonly Lazy<(string[] Real, string[] Special)> _texts = new(() =>
        TextsOf(ReferenceFolders.PathOf(folder))
    );

    public override byte[] Next(Random random) =>
        MemoryMarshal.AsBytes(FuzzText.Next(_texts.Value.Real, _texts.Value.Special, random).AsSpan()).ToArray();

    public override Task RunAsync(byte[] input)
    {
        string text = new(MemoryMarshal.Cast<byte, char>(input));
        foreach (EncodeOptions options in Options(text))
        {
            try
            {
                IReadOnlyList<int> ids = _tokenizer.Value.Encode(text, options);
                _tokenizer.Value.Decode(ids, DecodeOptions.Default);
                _tokenizer.Value.Decode(ids, new DecodeOptions { SkipSpecialTokens = false });
            }
            catch (EncodeException exception)
            {
                exception.Code.Should().BeOneOf("unknown_token_missing", "truncation_impossible", "pattern_too_slow");
            }
        }

        return Task.CompletedTask;
    }

    private static EncodeOptions[] Options(string text) =>
        [
            EncodeOptions.Default,
            new EncodeOptions { AddSpecialTokens = false, SplitSpecialTokens = true },
            new EncodeOptions
            {
                TextPair = text[(text.Length / 2)..],
                Truncation = "longest_first",
                MaxLength = text.Length % LongestLine,
            },
        ];

    /// <summary>The texts of a folder's cases, and what in them is, or looks like, special tokens.</summary>
    public static (string[] Real, string[] Special) TextsOf(string path)
    {
        JsonElement cases = JsonElement.Parse(File.ReadAllBytes(Path.Join(path, "cases.json")));
        string[] real =
        [
            .. cases
                .EnumerateArray()
                .Select(test => test.TryGetProperty("text", out var text) ? text.GetString() : null)
                .OfType<string>(),
        ];
        // Special tokens are what stands between brackets in the texts of the cases.
        string[] special =
        [
            .. real.SelectMany(text => text.Split(' '))
                .Where(word => word is ['<', .., '>'] or ['[', .., ']'] or ['_', '_', ..])
                .Concat(["</s>", "<pad>", "<unk>", "<extra_id_0>", "[SEP]", "[MASK]", "<mask>", "__en__", ">>fr<<"])
                .Distinct(StringComparer.Ordinal),
        ];
        return (real, special);
    }
}

/// <summary>Any text, and texts made of what a good tokenizer knows, there and back.</summary>
internal sealed class RoundTripTarget(string folder) : FuzzTarget($"round-trip/{folder}")
{
    private readonly Lazy<RoundTrip> _roundTrip = new(() => RoundTrip.Of(folder));

    /// <summary>It goes there and back twice.</summary>
    public override long MaxAllocatedBytes => 2 * base.MaxAllocatedBytes;

    public override byte[] Next(Random random) =>
        MemoryMarshal.AsBytes(_roundTrip.Value.Next(random).AsSpan()).ToArray();

    public override Task RunAsync(byte[] input)
    {
        _roundTrip.Value.Check(new string(MemoryMarshal.Cast<byte, char>(input)));
        return Task.CompletedTask;
    }
}

/// <summary>Any ids, in and out of range, through a good tokenizer.</summary>
internal sealed class DecodeTarget(string folder) : FuzzTarget($"decode/{folder}")
{
    private readonly Lazy<Tokenizer> _tokenizer = new(() => Tokenizer.Load(ReferenceFolders.PathOf(folder)));

    public override byte[] Next(Random random)
    {
        int[] ids = new int[random.Next(random.Next(10) == 0 ? 3000 : 40)];
        int most = random.Next(2) == 0 ? 400 : 2000;
        for (int i = 0; i < ids.Length; i++)
        {
            ids[i] = random.Next(12) == 0 ? random.Next(int.MinValue, int.MaxValue) : random.Next(-3, most);
        }

        return MemoryMarshal.AsBytes<int>(ids).ToArray();
    }

    public override Task RunAsync(byte[] input)
    {
        int[] ids = MemoryMarshal.Cast<byte, int>(input).ToArray();
        _tokenizer.Value.Decode(ids, DecodeOptions.Default);
        _tokenizer.Value.Decode(ids, new DecodeOptions { SkipSpecialTokens = false });
        _tokenizer.Value.Decode(ids, new DecodeOptions { CleanUpTokenizationSpaces = true });
        return Task.CompletedTask;
    }
}

/// <summary>One file of a tokenizer's folder changed: the folder loads, and then reads texts, or is refused by a code.</summary>
internal sealed class TokenizerFileTarget(string folder, string file) : FuzzTarget($"tokenizer-files/{folder}/{file}")
{
    private const string Text = "The quick brown fox's </s> Straße 今天 ﬁ 12,5 \U0001F600 e\u0301\u0301 <extra_id_0>.";

    private readonly Lazy<FolderOfLinks> _folder = new(() => new FolderOfLinks(ReferenceFolders.PathOf(folder), file));

    public static IEnumerable<TokenizerFileTarget> All(string folder) =>
        Directory
            .EnumerateFiles(ReferenceFolders.PathOf(folder))
            .Select(path => Path.GetFileName(path))
            .Where(name => name is not ("cases.json" or "info.json"))
            .Order(StringComparer.Ordinal)
            .Select(name => new TokenizerFileTarget(folder, name));

    public override byte[] Next(Random random)
    {
        byte[] whole = _folder.Value.Original;
        return file.EndsWith(".json", StringComparison.Ordinal)
            ? Mutator.Json(whole, random)
            : Mutator.Bytes(whole, random);
    }

    public override Task RunAsync(byte[] input)
    {
        _folder.Value.Write(input);
        try
        {
            Tokenizer tokenizer = Tokenizer.Load(_folder.Value.Path);
            IReadOnlyList<int> ids = tokenizer.Encode(Text, EncodeOptions.Default);
            tokenizer.Encode(Text, new EncodeOptions { AddSpecialTokens = false, SplitSpecialTokens = true });
            tokenizer.Decode(ids, DecodeOptions.Default);
            tokenizer.Decode([.. Enumerable.Range(-1, 400)], new DecodeOptions { SkipSpecialTokens = false });
        }
        catch (TokenizerLoadException exception)
        {
            exception.Code.Should().BeOneOf("tokenizer_missing", "tokenizer_invalid");
            exception.Message.Should().Contain(_folder.Value.Path);
        }
        catch (EncodeException exception)
        {
            exception.Code.Should().NotBeEmpty();
        }

        return Task.CompletedTask;
    }

    public override void Dispose()
    {
        if (_folder.IsValueCreated)
        {
            _folder.Value.Dispose();
        }

        base.Dispose();
    }
}
