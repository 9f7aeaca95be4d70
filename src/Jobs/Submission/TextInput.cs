using System.Runtime.CompilerServices;
using System.Text;

namespace Seq2Seq.Jobs.Submission;

/// <summary>
/// Text in UTF-8, a source line on each line. Lines end in LF or CRLF; a byte order mark is passed over; an empty line counts,
/// so that line numbers are those of the file.
/// </summary>
internal sealed class TextInput : IInputFormat
{
    private static readonly UTF8Encoding _strictUtf8 = new(false, throwOnInvalidBytes: true);

    public string Name => "text";

    public IReadOnlyList<string> ContentTypes { get; } = ["text/plain"];

    public IReadOnlyList<string> Extensions { get; } = [".txt", ".text"];

    public async IAsyncEnumerable<SourceLine> ReadAsync(
        Stream stream,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        await foreach (var line in InputLineReader.ReadAsync(stream, cancellationToken))
        {
            yield return line.TooLong ? LineCheck.TooLong(customId: null) : Decode(line.Bytes.Span);
        }
    }

    private static SourceLine Decode(ReadOnlySpan<byte> utf8)
    {
        try
        {
            return new SourceLine { Text = _strictUtf8.GetString(utf8) };
        }
        catch (DecoderFallbackException exception)
        {
            return LineCheck.Malformed(
                customId: null,
                $"The line is not valid UTF-8: byte {exception.Index} is 0x{exception.BytesUnknown?[0]:x2}."
            );
        }
    }
}
