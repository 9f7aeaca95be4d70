using System.Buffers;
using System.Text.Json;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Jobs.Results;
using Seq2Seq.Jobs.Submission;

namespace Seq2Seq.Jobs.Sharding;

/// <summary>
/// The stored form of a shard's source lines (<c>shard.input</c>): JSON Lines in UTF-8, a line each, never a raw line break
/// inside. A stored contract: rows written by one version are read by the next.
/// </summary>
// Each line is an object, or a plain string for the common case of text without an id:
//   "text"
//   {"id": "custom id", "text": "text"}
//   {"id": "custom id", "ids": [8774, 1]}
//   {"id": "custom id", "text": "text", "target": "text"}, or "target_ids": [363, 1]: a target to score
//   {"id": "custom id", "text": "text", "prefix": "text"}, or "prefix_ids": [363]: what outputs begin with
//   {"id": "custom id", "code": "line_malformed", "message": "why the line can't be read"}
//   {"id": "custom id", "outputs": […]}, or with "cut", as in results: an earlier run has answered the line
internal static class ShardInput
{
    private static readonly JsonWriterOptions _options = StoredLines.WriterOptions;

    /// <summary>Appends one line and its line end.</summary>
    public static void Append(IBufferWriter<byte> buffer, SourceLine line)
    {
        using (var writer = new Utf8JsonWriter(buffer, _options))
        {
            Write(writer, line);
        }

        buffer.Write("\n"u8);
    }

    /// <summary>Reads all lines of a shard.</summary>
    public static IReadOnlyList<SourceLine> Read(ReadOnlyMemory<byte> input)
    {
        List<SourceLine> lines = [];
        foreach (var line in StoredLines.Split(input))
        {
            lines.Add(ReadLine(line.Span));
        }

        return lines;
    }

    /// <summary>Cuts a shard in two after its first <paramref name="lines"/> lines.</summary>
    public static (ReadOnlyMemory<byte> Head, ReadOnlyMemory<byte> Tail) SplitAfter(
        ReadOnlyMemory<byte> input,
        int lines
    )
    {
        int end = 0;
        for (int line = 0; line < lines; line++)
        {
            end += input.Span[end..].IndexOf((byte)'\n') + 1;
        }

        return (input[..end], input[end..]);
    }

    private static void Write(Utf8JsonWriter writer, SourceLine line)
    {
        if (line is { CustomId: null, Error: null, Answer: null, IsPlainText: true })
        {
            writer.WriteStringValue(line.Text);
            return;
        }

        writer.WriteStartObject();
        if (line.CustomId is not null)
        {
            writer.WriteString("id"u8, line.CustomId);
        }

        if (line.Answer is not null)
        {
            ShardOutput.WriteAnswer(writer, line.Answer);
        }
        else if (line.Error is not null)
        {
            writer.WriteString("code"u8, line.Error.Code);
            writer.WriteString("message"u8, line.Error.Message);
        }
        else
        {
            WriteSource(writer, line);
        }

        writer.WriteEndObject();
    }

    private static void WriteSource(Utf8JsonWriter writer, SourceLine line)
    {
        if (line.InputIds is not null)
        {
            WriteIds(writer, "ids"u8, line.InputIds);
        }
        else
        {
            writer.WriteString("text"u8, line.Text ?? "");
        }

        if (line.TargetIds is not null)
        {
            WriteIds(writer, "target_ids"u8, line.TargetIds);
        }
        else if (line.Target is not null)
        {
            writer.WriteString("target"u8, line.Target);
        }

        if (line.DecoderInputIds is not null)
        {
            WriteIds(writer, "prefix_ids"u8, line.DecoderInputIds);
        }
        else if (line.TargetPrefix is not null)
        {
            writer.WriteString("prefix"u8, line.TargetPrefix);
        }
    }

    private static void WriteIds(Utf8JsonWriter writer, ReadOnlySpan<byte> name, IReadOnlyList<int> ids)
    {
        writer.WriteStartArray(name);
        foreach (int id in ids)
        {
            writer.WriteNumberValue(id);
        }

        writer.WriteEndArray();
    }

    private static SourceLine ReadLine(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        reader.Read();
        if (reader.TokenType == JsonTokenType.String)
        {
            return new SourceLine { Text = reader.GetString() };
        }

        string? customId = null;
        string? text = null;
        List<int>? inputIds = null;
        string? target = null;
        List<int>? targetIds = null;
        string? prefix = null;
        List<int>? prefixIds = null;
        SourceTruncation? truncation = null;
        List<SequenceOutput>? outputs = null;
        string? code = null;
        string? message = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("id"u8))
            {
                customId = StoredLines.ReadString(ref reader);
            }
            else if (reader.ValueTextEquals("text"u8))
            {
                text = StoredLines.ReadString(ref reader);
            }
            else if (reader.ValueTextEquals("ids"u8))
            {
                inputIds = StoredLines.ReadIntegers(ref reader);
            }
            else if (reader.ValueTextEquals("target"u8))
            {
                target = StoredLines.ReadString(ref reader);
            }
            else if (reader.ValueTextEquals("target_ids"u8))
            {
                targetIds = StoredLines.ReadIntegers(ref reader);
            }
            else if (reader.ValueTextEquals("prefix"u8))
            {
                prefix = StoredLines.ReadString(ref reader);
            }
            else if (reader.ValueTextEquals("prefix_ids"u8))
            {
                prefixIds = StoredLines.ReadIntegers(ref reader);
            }
            else if (reader.ValueTextEquals("cut"u8))
            {
                truncation = ShardOutput.ReadTruncation(ref reader);
            }
            else if (reader.ValueTextEquals("outputs"u8))
            {
                outputs = ShardOutput.ReadOutputs(ref reader);
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

        return new SourceLine
        {
            CustomId = customId,
            Text = text,
            InputIds = inputIds,
            Target = target,
            TargetIds = targetIds,
            TargetPrefix = prefix,
            DecoderInputIds = prefixIds,
            Error = code is null ? null : new LineError { Code = code, Message = message ?? "" },
            Answer = outputs is null ? null : new SequenceResult { Outputs = outputs, Truncation = truncation },
        };
    }
}
