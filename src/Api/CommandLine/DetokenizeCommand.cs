using System.CommandLine;
using System.Text.Json;
using Seq2Seq.Api.CommandLine.Lines;
using Seq2Seq.Inference.Tokenization;

namespace Seq2Seq.Api.CommandLine;

/// <summary>
/// <c>seq2seq detokenize</c>: <c>{"id", "ids", …}</c> to <c>{"id", "text"}</c> with a model folder's own tokenizer. The other fields
/// are the keyword arguments of Hugging Face's <c>decode</c>: skip_special_tokens, clean_up_tokenization_spaces, src_lang,
/// tgt_lang, use_source_tokenizer.
/// </summary>
internal static class DetokenizeCommand
{
    public static Command Build() =>
        TokenizerCommand.Build(
            "detokenize",
            "Turns the token ids of each line into text.",
            """echo '{"id": 1, "ids": [20, 4, 9, 1]}' | seq2seq detokenize --model models/english-tts""",
            Answer
        );

    private static Action<Utf8JsonWriter> Answer(Tokenizer tokenizer, LineObject fields)
    {
        IReadOnlyList<int> ids = fields.FindIntegers("ids") ?? throw new LineFormatException("The line has no 'ids'.");
        string text = tokenizer.Decode(
            ids,
            new DecodeOptions
            {
                SkipSpecialTokens = fields.FindFlag("skip_special_tokens") ?? true,
                CleanUpTokenizationSpaces = fields.FindFlag("clean_up_tokenization_spaces"),
                SourceLanguage = fields.FindText("src_lang"),
                TargetLanguage = fields.FindText("tgt_lang"),
                UseSourceTokenizer = fields.FindFlag("use_source_tokenizer"),
            }
        );
        return writer => writer.WriteString("text", text);
    }
}
