using System.CommandLine;
using System.Text.Json;
using Seq2Seq.Api.CommandLine.Lines;
using Seq2Seq.Inference.Tokenization;

namespace Seq2Seq.Api.CommandLine;

/// <summary>
/// <c>seq2seq tokenize</c>: <c>{"id", "text", …}</c> to <c>{"id", "ids"}</c> with a model folder's own tokenizer. The other fields are
/// the keyword arguments of Hugging Face's tokenizer call: text_pair, add_special_tokens, truncation, max_length, src_lang,
/// tgt_lang, as_target, split_special_tokens.
/// </summary>
internal static class TokenizeCommand
{
    public static Command Build() =>
        TokenizerCommand.Build(
            "tokenize",
            "Turns the text of each line into token ids.",
            """echo '{"id": 1, "text": "phonemize: wonderful"}' | seq2seq tokenize --model models/english-tts""",
            Answer
        );

    private static Action<Utf8JsonWriter> Answer(Tokenizer tokenizer, LineObject fields)
    {
        string text = fields.FindText("text") ?? throw new LineFormatException("The line has no 'text'.");
        IReadOnlyList<int> ids = tokenizer.Encode(
            text,
            new EncodeOptions
            {
                TextPair = fields.FindText("text_pair"),
                AddSpecialTokens = fields.FindFlag("add_special_tokens") ?? true,
                Truncation = ReadTruncation(fields),
                MaxLength = fields.FindInteger("max_length"),
                SourceLanguage = fields.FindText("src_lang"),
                TargetLanguage = fields.FindText("tgt_lang"),
                AsTarget = fields.FindFlag("as_target") ?? false,
                SplitSpecialTokens = fields.FindFlag("split_special_tokens") ?? false,
            }
        );
        return writer =>
        {
            writer.WriteStartArray("ids");
            foreach (int token in ids)
            {
                writer.WriteNumberValue(token);
            }

            writer.WriteEndArray();
        };
    }

    // As in the Hugging Face call: true means longest_first.
    private static string? ReadTruncation(LineObject fields) =>
        fields.Find("truncation") switch
        {
            null or { ValueKind: JsonValueKind.False } => null,
            { ValueKind: JsonValueKind.True } => "longest_first",
            _ => fields.FindText("truncation") is "do_not_truncate" ? null : fields.FindText("truncation"),
        };
}
