using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Seq2Seq.Jobs.Submission;

/// <summary>
/// JSON Lines in UTF-8: on each line an object with <c>text</c> or <c>input_ids</c>, and optionally <c>custom_id</c>, a string, and
/// <c>target</c> or <c>target_ids</c>, <c>target_prefix</c> or <c>decoder_input_ids</c>. Nothing is ignored:
/// another field, a field given twice or a blank line is that line's error, so that a typing error is seen.
/// </summary>
internal sealed class JsonLinesInput : IInputFormat
{
    public string Name => "jsonl";

    public IReadOnlyList<string> ContentTypes { get; } =
    ["application/jsonl", "application/x-ndjson", "application/x-jsonlines", "application/jsonlines"];

    public IReadOnlyList<string> Extensions { get; } = [".jsonl", ".ndjson"];

    public async IAsyncEnumerable<SourceLine> ReadAsync(
        Stream stream,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        await foreach (var line in InputLineReader.ReadAsync(stream, cancellationToken))
        {
            yield return line.TooLong ? LineCheck.TooLong(customId: null) : Parse(line.Bytes.Span);
        }
    }

    private static SourceLine Parse(ReadOnlySpan<byte> json)
    {
        try
        {
            return new LineObject().Read(json);
        }
        catch (JsonException exception)
        {
            return LineCheck.Malformed(
                customId: null,
                $"The line is not JSON: at byte {exception.BytePositionInLine ?? 0}, {Reason(exception)}"
            );
        }
        catch (InvalidOperationException)
        {
            // What the reader throws for a string that is no text.
            return LineCheck.Malformed(customId: null, "The line has a string that is not valid UTF-8 or UTF-16.");
        }
    }

    // Without the position, which the reader counts from its own beginning.
    private static string Reason(JsonException exception) =>
        exception.Message.Split(" LineNumber:", 2, StringSplitOptions.None)[0];

    /// <summary>One line's object. Reads on after an error, so that the error carries the custom id wherever that stands.</summary>
    private sealed class LineObject
    {
        private string? _customId;
        private string? _text;
        private List<int>? _inputIds;
        private string? _target;
        private List<int>? _targetIds;
        private string? _targetPrefix;
        private List<int>? _decoderInputIds;
        private string? _error;

        public SourceLine Read(ReadOnlySpan<byte> json)
        {
            var reader = new Utf8JsonReader(json);
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                return LineCheck.Malformed(
                    customId: null,
                    $"The line is {Describe(reader.TokenType)}; expected an object."
                );
            }

            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                ReadProperty(ref reader);
            }

            // Something after the object is an error that the reader throws.
            reader.Read();
            return _error is not null
                ? LineCheck.Malformed(_customId, _error)
                : new SourceLine
                {
                    CustomId = _customId,
                    Text = _text,
                    InputIds = _inputIds,
                    Target = _target,
                    TargetIds = _targetIds,
                    TargetPrefix = _targetPrefix,
                    DecoderInputIds = _decoderInputIds,
                };
        }

        private void ReadProperty(ref Utf8JsonReader reader)
        {
            if (reader.ValueTextEquals("text"u8))
            {
                reader.Read();
                ReadString(ref reader, "text", ref _text);
            }
            else if (reader.ValueTextEquals("custom_id"u8))
            {
                reader.Read();
                ReadString(ref reader, "custom_id", ref _customId);
            }
            else if (reader.ValueTextEquals("input_ids"u8))
            {
                reader.Read();
                ReadIds(ref reader, "input_ids", ref _inputIds);
            }
            else if (reader.ValueTextEquals("target"u8))
            {
                reader.Read();
                ReadString(ref reader, "target", ref _target);
            }
            else if (reader.ValueTextEquals("target_ids"u8))
            {
                reader.Read();
                ReadIds(ref reader, "target_ids", ref _targetIds);
            }
            else if (reader.ValueTextEquals("target_prefix"u8))
            {
                reader.Read();
                ReadString(ref reader, "target_prefix", ref _targetPrefix);
            }
            else if (reader.ValueTextEquals("decoder_input_ids"u8))
            {
                reader.Read();
                ReadIds(ref reader, "decoder_input_ids", ref _decoderInputIds);
            }
            else
            {
                _error ??=
                    $"There is no field '{Shorten(reader.GetString()!)}'; expected custom_id, text or input_ids, target or target_ids, target_prefix or decoder_input_ids.";
                reader.Read();
                reader.Skip();
            }
        }

        private void ReadString(ref Utf8JsonReader reader, string field, ref string? value)
        {
            if (value is not null)
            {
                _error ??= $"{field} is there twice.";
            }

            if (reader.TokenType == JsonTokenType.String)
            {
                value = reader.GetString();
            }
            else if (reader.TokenType != JsonTokenType.Null)
            {
                _error ??= $"{field} is {Describe(reader.TokenType)}; expected a string.";
                reader.Skip();
            }
        }

        private void ReadIds(ref Utf8JsonReader reader, string field, ref List<int>? ids)
        {
            if (ids is not null)
            {
                _error ??= $"{field} is there twice.";
            }

            if (reader.TokenType == JsonTokenType.Null)
            {
                return;
            }

            if (reader.TokenType != JsonTokenType.StartArray)
            {
                _error ??= $"{field} is {Describe(reader.TokenType)}; expected an array of integers.";
                reader.Skip();
                return;
            }

            ids = [];
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                if (reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out int id))
                {
                    ids.Add(id);
                    continue;
                }

                _error ??= $"{field} has {Describe(reader.TokenType)} at {ids.Count}; expected 32-bit integers.";
                reader.Skip();
            }
        }

        private static string Shorten(string name) => name.Length <= 50 ? name : $"{name[..50]}…";

        private static string Describe(JsonTokenType type) =>
            type switch
            {
                JsonTokenType.StartObject => "an object",
                JsonTokenType.StartArray => "an array",
                JsonTokenType.String => "a string",
                JsonTokenType.Number => "a number",
                JsonTokenType.Null => "null",
                _ => "true or false",
            };
    }
}
