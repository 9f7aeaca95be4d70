using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Seq2Seq.Inference.Generation;

namespace Seq2Seq.Api.CommandLine.Lines;

/// <summary>
/// The answer to a line, as a line of JSON: the line's own <c>id</c> (or, when it has none, <c>line</c>, its number from 0), then
/// either what was asked for or <c>error</c> with a stable code.
/// </summary>
internal readonly record struct LineAnswer(byte[] Utf8, bool Failed)
{
    // The output is a file for programs, never part of a page: letters stay letters.
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static LineAnswer Of(InputLine line, JsonElement? id, Action<Utf8JsonWriter> write) =>
        new(Write(line, id, write), Failed: false);

    public static LineAnswer Of(InputLine line, JsonElement? id, LineError error) =>
        new(
            Write(
                line,
                id,
                writer =>
                {
                    writer.WriteStartObject("error");
                    writer.WriteString("code", error.Code);
                    writer.WriteString("message", error.Message);
                    writer.WriteEndObject();
                }
            ),
            Failed: true
        );

    private static byte[] Write(InputLine line, JsonElement? id, Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer, Options))
        {
            writer.WriteStartObject();
            if (id is { } given)
            {
                writer.WritePropertyName("id");
                given.WriteTo(writer);
            }
            else
            {
                writer.WriteNumber("line", line.Number);
            }

            write(writer);
            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }
}
