using System.Text.Json;
using Seq2Seq.Inference.Generation;

namespace Seq2Seq.Api.CommandLine.Lines;

/// <summary>A line read as a JSON object, with readers of its fields that say what was found and what was expected.</summary>
internal sealed class LineObject : IDisposable
{
    private readonly JsonDocument _document;

    private LineObject(JsonDocument document)
    {
        _document = document;
        Id = document.RootElement.TryGetProperty("id", out JsonElement id) ? id : null;
    }

    /// <summary>Given back with the answer, whatever its type.</summary>
    public JsonElement? Id { get; }

    /// <exception cref="LineFormatException">The line is not a JSON object.</exception>
    public static LineObject Parse(InputLine line)
    {
        if (line.TooLong)
        {
            throw new LineFormatException(
                $"The line is longer than {LineReader.MaxLineBytes} bytes.",
                LineErrorCodes.TooLong
            );
        }

        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(line.Utf8);
        }
        catch (JsonException e)
        {
            throw new LineFormatException("The line is not JSON: " + e.Message);
        }

        if (document.RootElement.ValueKind != JsonValueKind.Object)
        {
            JsonValueKind found = document.RootElement.ValueKind;
            document.Dispose();
            throw new LineFormatException($"The line is a JSON {found}; expected an object.");
        }

        return new LineObject(document);
    }

    public JsonElement? Find(string name) =>
        _document.RootElement.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null
            ? value
            : null;

    public string? FindText(string name)
    {
        if (Find(name) is not { } value)
        {
            return null;
        }

        if (value.ValueKind != JsonValueKind.String)
        {
            throw Wrong(name, value, "a string");
        }

        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException)
        {
            throw new LineFormatException($"'{name}' is not valid Unicode.");
        }
    }

    public bool? FindFlag(string name) =>
        Find(name) switch
        {
            null => null,
            { ValueKind: JsonValueKind.True } => true,
            { ValueKind: JsonValueKind.False } => false,
            { } value => throw Wrong(name, value, "true or false"),
        };

    public int? FindInteger(string name)
    {
        if (Find(name) is not { } value)
        {
            return null;
        }

        return value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number)
            ? number
            : throw Wrong(name, value, "an integer");
    }

    public IReadOnlyList<int>? FindIntegers(string name)
    {
        if (Find(name) is not { } value)
        {
            return null;
        }

        if (value.ValueKind != JsonValueKind.Array)
        {
            throw Wrong(name, value, "an array of integers");
        }

        int[] numbers = new int[value.GetArrayLength()];
        int next = 0;
        foreach (JsonElement item in value.EnumerateArray())
        {
            numbers[next++] =
                item.ValueKind == JsonValueKind.Number && item.TryGetInt32(out int number)
                    ? number
                    : throw Wrong($"{name}[{next - 1}]", item, "an integer");
        }

        return numbers;
    }

    public void Dispose() => _document.Dispose();

    private static LineFormatException Wrong(string name, JsonElement found, string expected)
    {
        string text = found.GetRawText();
        return new LineFormatException(
            $"'{name}' is {(text.Length <= 40 ? text : text[..40] + "…")}; expected {expected}."
        );
    }
}
