using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Seq2Seq.Inference.Generation;

namespace Seq2Seq.Jobs.Results;

/// <summary>
/// JSON Lines: <c>{"line", "custom_id", "outputs": [{"text", "token_ids", "score", "finish_reason"}]}</c>, or
/// <c>{"line", "custom_id", "error": {"code", "message"}}</c>. <c>custom_id</c> and <c>text</c> are absent where there is none, and
/// <c>token_logprobs</c> where nobody asked for them; a score that is not a number is null. <c>outputs</c> of a source that was cut have
/// <c>"truncated": true</c>, <c>source_tokens</c> and <c>kept_tokens</c> before them. The format that loses nothing.
/// </summary>
internal sealed class JsonLinesResults : IResultFormat
{
    private static readonly JsonWriterOptions _options = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
    };

    public string Name => "jsonl";

    public string ContentType => "application/jsonl";

    public string Extension => ".jsonl";

    public async Task WriteAsync(
        IAsyncEnumerable<LineResult> results,
        Stream stream,
        CancellationToken cancellationToken
    )
    {
        var buffer = new ArrayBufferWriter<byte>();
        await using var writer = new Utf8JsonWriter(buffer, _options);
        await results.WriteAsync(
            buffer,
            stream,
            result =>
            {
                writer.Reset();
                Write(writer, result);
                writer.Flush();
                buffer.Write("\n"u8);
            },
            cancellationToken
        );
    }

    private static void Write(Utf8JsonWriter writer, LineResult result)
    {
        writer.WriteStartObject();
        writer.WriteNumber("line"u8, result.Line);
        if (result.CustomId is not null)
        {
            writer.WriteString("custom_id"u8, result.CustomId);
        }

        if (result.Result.Error is { } error)
        {
            writer.WriteStartObject("error"u8);
            writer.WriteString("code"u8, error.Code);
            writer.WriteString("message"u8, error.Message);
            writer.WriteEndObject();
        }
        else
        {
            result.Result.Truncation?.WriteTo(writer);
            writer.WriteStartArray("outputs"u8);
            foreach (var output in result.Result.Outputs)
            {
                Write(writer, output);
            }

            writer.WriteEndArray();
        }

        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, SequenceOutput output)
    {
        writer.WriteStartObject();
        if (output.Text is not null)
        {
            writer.WriteString("text"u8, output.Text);
        }

        writer.WriteStartArray("token_ids"u8);
        foreach (int id in output.TokenIds)
        {
            writer.WriteNumberValue(id);
        }

        writer.WriteEndArray();
        writer.WritePropertyName("score"u8);
        WriteNumber(writer, output.Score);

        if (output.TokenLogprobs is { } logprobs)
        {
            writer.WriteStartArray("token_logprobs"u8);
            foreach (float logprob in logprobs)
            {
                WriteNumber(writer, logprob);
            }

            writer.WriteEndArray();
        }

        writer.WriteString("finish_reason"u8, output.FinishReason.ToName());
        writer.WriteEndObject();
    }

    // JSON has no other numbers.
    private static void WriteNumber(Utf8JsonWriter writer, double value)
    {
        if (double.IsFinite(value))
        {
            writer.WriteNumberValue(value);
        }
        else
        {
            writer.WriteNullValue();
        }
    }
}
