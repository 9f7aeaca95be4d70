using System.Buffers;
using System.Text;
using Seq2Seq.Inference.Tokenization.AddedTokens;
using Seq2Seq.Inference.Tokenization.Layouts;

namespace Seq2Seq.Inference.Tokenization.Standalone;

/// <summary>
/// ByT5 (<c>ByT5Tokenizer</c>): the bytes of UTF-8, shifted by padding, end and unknown; sentinels behind them. Bytes that
/// form no character are dropped on the way back.
/// </summary>
internal sealed class ByT5Tokenizer : StandaloneTokenizer
{
    private const int Offset = 3;
    private const int ByteCount = 256;
    private const int DefaultExtraIds = 125;

    private readonly SequenceFrame _frame;

    private ByT5Tokenizer(TokenizerSettings settings, AddedWords added, int end)
        : base(settings, added) => _frame = SequenceFrame.EndOfEach(end) with { KeepsOwnEnd = true };

    public static Tokenizer Load(TokenizerFolder folder)
    {
        var settings = folder.Settings;
        var (pad, end) = (Stripping(settings, "pad_token", "<pad>"), Stripping(settings, "eos_token", "</s>"));
        var unknown = Stripping(settings, "unk_token", "<unk>");
        var extraIds = Math.Max(0, settings.Count("extra_ids") ?? DefaultExtraIds);
        var sentinels = Enumerable.Range(0, extraIds).Select(i => SpecialTokens.Plain($"<extra_id_{i}>"));
        var added = AddedWords.Of(
            settings,
            [end, unknown, pad],
            settings.ExtraSpecialTokens ?? settings.AdditionalSpecialTokens ?? sentinels,
            ByteId,
            ByteCount,
            new Dictionary<int, AddedToken>
            {
                [0] = pad,
                [1] = end,
                [2] = unknown,
            }
        );
        return new ByT5Tokenizer(settings, added, added.Id(end.Content) ?? 1);
    }

    protected override SequenceFrame FrameOf(EncodeOptions options) => _frame;

    protected override void EncodeText(string text, EncodeOptions options, List<int> ids)
    {
        var rented = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(text.Length));
        foreach (var value in rented.AsSpan(0, Encoding.UTF8.GetBytes(text, rented)))
            ids.Add(value + Offset);
        ArrayPool<byte>.Shared.Return(rented);
    }

    protected override string? TokenOf(int id, DecodeOptions options) =>
        id >= Offset && id < Offset + ByteCount ? ((char)(id - Offset)).ToString() : null;

    internal override byte[]? BytesOf(int tokenId) =>
        tokenId is >= Offset and < Offset + ByteCount && Added.TokenOf(tokenId) is null
            ? [(byte)(tokenId - Offset)]
            : null;

    protected override string Join(List<string> tokens, DecodeOptions options)
    {
        var bytes = new List<byte>(tokens.Count);
        foreach (var token in tokens)
        {
            if (Added.Contains(token))
                bytes.AddRange(Encoding.UTF8.GetBytes(token));
            else
                bytes.Add((byte)token[0]);
        }
        var text = new StringBuilder(bytes.Count);
        var rest = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(bytes);
        while (!rest.IsEmpty)
        {
            if (Rune.DecodeFromUtf8(rest, out var rune, out var length) == OperationStatus.Done)
                text.Append(rune.ToString());
            rest = rest[length..];
        }
        return text.ToString();
    }

    /// <summary>A token given as plain text takes the spaces around it along.</summary>
    private static AddedToken Stripping(TokenizerSettings settings, string name, string fallback)
    {
        var token = settings.Token(name, out var isText);
        if (token is not null && !isText)
            return token;
        return new AddedToken(token?.Content ?? fallback)
        {
            Special = true,
            StripLeft = true,
            StripRight = true,
        };
    }

    private static int? ByteId(string token) => token.Length == 1 && token[0] < ByteCount ? token[0] + Offset : null;
}
