using System.Buffers;
using System.Text.Json;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Jobs.Sharding;

namespace Seq2Seq.Jobs.Results;

/// <summary>
/// The stored form of a shard's results (<c>shard_result.output</c>): JSON Lines in UTF-8, in input order, one for each source
/// line. A stored contract: rows written by one version are read by the next.
/// </summary>
// Each line is one of:
//   {"id": "custom id", "outputs": [{"text": "…", "ids": [363, 1], "score": -0.12, "length": true}, …]}
//   {"id": "custom id", "cut": [812, 512], "outputs": […]}: of a source of 812 tokens the first 512 were read
//   {"id": "custom id", "code": "line_too_long", "message": "…"}
// where "id" and "text" may be absent, "length" stands only when the length limit ended the sequence, "time" when its time was
// up, and "logprobs" (one a generated token id) only when the job asked for them.
internal static class ShardOutput
{
    private static readonly JsonWriterOptions _options = StoredLines.WriterOptions;

    /// <summary>Appends the result of one line, and its line end.</summary>
    public static void Append(IBufferWriter<byte> buffer, string? customId, SequenceResult result)
    {
        using (var writer = new Utf8JsonWriter(buffer, _options))
        {
            Write(writer, customId, result);
        }

        buffer.Write("\n"u8);
    }

    /// <summary>Reads the results of a shard, one after the other.</summary>
    /// <param name="output">The stored value.</param>
    /// <param name="firstLine">Number of the shard's first line.</param>
    public static IEnumerable<LineResult> Read(ReadOnlyMemory<byte> output, long firstLine)
    {
        long line = firstLine;
        foreach (var json in StoredLines.Split(output))
        {
            yield return ReadLine(json.Span, line++);
        }
    }

    private static void Write(Utf8JsonWriter writer, string? customId, SequenceResult result)
    {
        writer.WriteStartObject();
        if (customId is not null)
        {
            writer.WriteString("id"u8, customId);
        }

        if (result.Error is not null)
        {
            writer.WriteString("code"u8, result.Error.Code);
            writer.WriteString("message"u8, result.Error.Message);
        }
        else
        {
            WriteAnswer(writer, result);
        }

        writer.WriteEndObject();
    }

    /// <summary>Writes the properties of a result that is no error: <c>outputs</c>, and <c>cut</c> if its source was.</summary>
    public static void WriteAnswer(Utf8JsonWriter writer, SequenceResult answer)
    {
        if (answer.Truncation is { } truncation)
        {
            writer.WriteStartArray("cut"u8);
            writer.WriteNumberValue(truncation.SourceTokens);
            writer.WriteNumberValue(truncation.KeptTokens);
            writer.WriteEndArray();
        }

        writer.WriteStartArray("outputs"u8);
        foreach (var output in answer.Outputs)
        {
            Write(writer, output);
        }

        writer.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter writer, SequenceOutput output)
    {
        writer.WriteStartObject();
        if (output.Text is not null)
        {
            writer.WriteString("text"u8, output.Text);
        }

        writer.WriteStartArray("ids"u8);
        foreach (int id in output.TokenIds)
        {
            writer.WriteNumberValue(id);
        }

        writer.WriteEndArray();
        // JSON has no number for these; absent reads as not a number.
        if (double.IsFinite(output.Score))
        {
            writer.WriteNumber("score"u8, output.Score);
        }

        if (output.FinishReason == FinishReason.Length)
        {
            writer.WriteBoolean("length"u8, true);
        }
        else if (output.FinishReason == FinishReason.Time)
        {
            writer.WriteBoolean("time"u8, true);
        }

        if (output.TokenLogprobs is { } logprobs)
        {
            writer.WriteStartArray("logprobs"u8);
            foreach (float logprob in logprobs)
            {
                // The least number stands for what has no chance at all.
                writer.WriteNumberValue(float.IsFinite(logprob) ? logprob : float.MinValue);
            }

            writer.WriteEndArray();
        }

        writer.WriteEndObject();
    }

    private static LineResult ReadLine(ReadOnlySpan<byte> json, long line)
    {
        var reader = new Utf8JsonReader(json);
        reader.Read();
        string? customId = null;
        SourceTruncation? truncation = null;
        List<SequenceOutput> outputs = [];
        string? code = null;
        string? message = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("id"u8))
            {
                customId = StoredLines.ReadString(ref reader);
            }
            else if (reader.ValueTextEquals("cut"u8))
            {
                truncation = ReadTruncation(ref reader);
            }
            else if (reader.ValueTextEquals("outputs"u8))
            {
                outputs = ReadOutputs(ref reader);
            }
            else if (reader.ValueTextEquals("code"u8))
            {
                code = StoredLines.ReadString(ref reader);
            }
            else if (reader.ValueTextEquals("message"u8))
            {
                message = StoredLines.ReadString(ref reader);
            }
            else
            {
                // A later version's field.
                reader.Read();
                reader.Skip();
            }
        }

        var result = code is null
            ? new SequenceResult { Outputs = outputs, Truncation = truncation }
            : SequenceResult.Failed(code, message ?? "");
        return new LineResult(line, customId, result);
    }

    /// <summary>Reads the value of the property <c>cut</c>.</summary>
    public static SourceTruncation? ReadTruncation(ref Utf8JsonReader reader) =>
        StoredLines.ReadIntegers(ref reader) is [var source, var kept] ? new SourceTruncation(source, kept) : null;

    /// <summary>Reads the value of the property <c>outputs</c>.</summary>
    public static List<SequenceOutput> ReadOutputs(ref Utf8JsonReader reader)
    {
        List<SequenceOutput> outputs = [];
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.StartObject)
        {
            outputs.Add(ReadOutput(ref reader));
        }

        return outputs;
    }

    private static SequenceOutput ReadOutput(ref Utf8JsonReader reader)
    {
        string? text = null;
        List<int> tokenIds = [];
        double score = double.NaN;
        var finishReason = FinishReason.Stop;
        List<float>? logprobs = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("text"u8))
            {
                text = StoredLines.ReadString(ref reader);
            }
            else if (reader.ValueTextEquals("ids"u8))
            {
                tokenIds = StoredLines.ReadIntegers(ref reader);
            }
            else if (reader.ValueTextEquals("score"u8))
            {
                reader.Read();
                score = reader.GetDouble();
            }
            else if (reader.ValueTextEquals("length"u8))
            {
                reader.Read();
                finishReason = reader.GetBoolean() ? FinishReason.Length : FinishReason.Stop;
            }
            else if (reader.ValueTextEquals("time"u8))
            {
                reader.Read();
                finishReason = reader.GetBoolean() ? FinishReason.Time : FinishReason.Stop;
            }
            else if (reader.ValueTextEquals("logprobs"u8))
            {
                logprobs = StoredLines.ReadNumbers(ref reader);
            }
            else
            {
                reader.Read();
                reader.Skip();
            }
        }

        return new SequenceOutput
        {
            Text = text,
            TokenIds = tokenIds,
            Score = score,
            FinishReason = finishReason,
            TokenLogprobs = logprobs,
        };
    }
}
