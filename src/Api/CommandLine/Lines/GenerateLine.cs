using System.Text.Json;
using Seq2Seq.Inference.Generation;

namespace Seq2Seq.Api.CommandLine.Lines;

/// <summary>A line of <c>seq2seq generate</c> or <c>score</c>: what to generate from and how, or the error that is its answer.</summary>
internal sealed class GenerateLine
{
    public const string ParametersInvalid = "parameter_invalid";

    private readonly InputLine _line;
    private readonly JsonElement? _id;

    private GenerateLine(InputLine line, JsonElement? id)
    {
        _line = line;
        _id = id;
    }

    /// <summary>Null when the line is wrong.</summary>
    public SequenceInput? Input { get; private init; }

    public LineError? Error { get; private init; }

    public GenerationParameters Parameters { get; private init; } = new();

    /// <summary>The parameters as they were written: lines that share it share a call.</summary>
    public string ParametersKey { get; private init; } = "";

    /// <param name="line">The line.</param>
    /// <param name="defaults">Parameters of a line that brings none.</param>
    /// <param name="isScored">Whether the line must bring a target to score; otherwise it may not.</param>
    public static GenerateLine Read(InputLine line, GenerationParameters defaults, bool isScored)
    {
        JsonElement? id = null;
        try
        {
            using var fields = LineObject.Parse(line);
            id = fields.Id?.Clone();
            string? text = fields.FindText("text");
            IReadOnlyList<int>? tokenIds = fields.FindIntegers("input_ids");
            if (text is null == tokenIds is null)
            {
                throw new LineFormatException("The line needs one of 'text' and 'input_ids'.");
            }

            string? target = fields.FindText("target");
            IReadOnlyList<int>? targetIds = fields.FindIntegers("target_ids");
            if (isScored && target is null == targetIds is null)
            {
                throw new LineFormatException("The line needs one of 'target' and 'target_ids'.");
            }

            if (!isScored && (target is not null || targetIds is not null))
            {
                throw new LineFormatException("The line has a target; 'seq2seq score' scores targets.");
            }

            string? prefix = fields.FindText("target_prefix");
            IReadOnlyList<int>? prefixIds = fields.FindIntegers("decoder_input_ids");
            if (prefix is not null && prefixIds is not null)
            {
                throw new LineFormatException("The line has both 'target_prefix' and 'decoder_input_ids'.");
            }

            JsonElement? parameters = fields.Find("parameters");
            return new GenerateLine(line, id)
            {
                Input = new SequenceInput
                {
                    Text = text,
                    TokenIds = tokenIds,
                    TargetText = target,
                    TargetTokenIds = targetIds,
                    PrefixText = prefix,
                    PrefixTokenIds = prefixIds,
                    Line = line.Number,
                },
                Parameters = parameters is { } given ? GenerationParametersJson.Read(given) : defaults,
                ParametersKey = parameters?.GetRawText() ?? "",
            };
        }
        catch (LineFormatException e)
        {
            return new GenerateLine(line, id) { Error = e.Error };
        }
        catch (GenerationParametersException e)
        {
            return new GenerateLine(line, id)
            {
                Error = new LineError { Code = ParametersInvalid, Message = e.Message },
            };
        }
    }

    public LineAnswer Answer(SequenceResult result) =>
        result.Error is { } error
            ? LineAnswer.Of(_line, _id, error)
            : LineAnswer.Of(
                _line,
                _id,
                writer =>
                {
                    result.Truncation?.WriteTo(writer);
                    writer.WriteStartArray("outputs");
                    foreach (SequenceOutput output in result.Outputs)
                    {
                        Write(writer, output);
                    }

                    writer.WriteEndArray();
                }
            );

    private static void Write(Utf8JsonWriter writer, SequenceOutput output)
    {
        writer.WriteStartObject();
        writer.WriteString("text", output.Text);
        writer.WriteStartArray("token_ids");
        foreach (int id in output.TokenIds)
        {
            writer.WriteNumberValue(id);
        }

        writer.WriteEndArray();
        writer.WritePropertyName("score");
        WriteNumber(writer, output.Score);
        if (output.TokenLogprobs is { } logprobs)
        {
            writer.WriteStartArray("token_logprobs");
            foreach (float logprob in logprobs)
            {
                WriteNumber(writer, logprob);
            }

            writer.WriteEndArray();
        }

        writer.WriteString("finish_reason", output.FinishReason.ToName());
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
