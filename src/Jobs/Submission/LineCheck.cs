using System.Globalization;
using System.Text;
using Seq2Seq.Inference.Generation;

namespace Seq2Seq.Jobs.Submission;

/// <summary>Bounds one source line, whoever made it: what can't be stored becomes a line with an error.</summary>
internal static class LineCheck
{
    private static readonly UTF8Encoding _strictUtf8 = new(false, throwOnInvalidBytes: true);

    /// <returns>The line or the error in its place, and the bytes of input that it counts for.</returns>
    public static (SourceLine Line, int Bytes) Check(SourceLine line)
    {
        try
        {
            int idBytes = line.CustomId is null ? 0 : _strictUtf8.GetByteCount(line.CustomId);
            int bytes = line.Text is null ? 0 : _strictUtf8.GetByteCount(line.Text);
            bytes += line.Target is null ? 0 : _strictUtf8.GetByteCount(line.Target);
            bytes += line.TargetPrefix is null ? 0 : _strictUtf8.GetByteCount(line.TargetPrefix);
            bytes +=
                sizeof(int)
                * ((line.InputIds?.Count ?? 0) + (line.TargetIds?.Count ?? 0) + (line.DecoderInputIds?.Count ?? 0));
            if (line.Error?.Code == LineErrorCodes.TooLong)
            {
                // What was dropped counts, too.
                bytes = SourceLine.MaxBytes;
            }

            // And one for the line end.
            return (Bound(line, bytes), idBytes + bytes + 1);
        }
        catch (EncoderFallbackException)
        {
            return (
                Failed(null, LineErrorCodes.Malformed, "The line has half a surrogate pair, which is not text."),
                1
            );
        }
    }

    public static SourceLine TooLong(string? customId) =>
        Failed(
            customId,
            LineErrorCodes.TooLong,
            string.Create(CultureInfo.InvariantCulture, $"The line has more than {SourceLine.MaxBytes} bytes.")
        );

    public static SourceLine Malformed(string? customId, string message) =>
        Failed(customId, LineErrorCodes.Malformed, message);

    private static SourceLine Bound(SourceLine line, int bytes) =>
        line switch
        {
            { CustomId.Length: > SourceLine.MaxCustomIdLength } => Malformed(
                null,
                $"custom_id has {line.CustomId.Length} characters; expected at most {SourceLine.MaxCustomIdLength}."
            ),
            { Error: not null } => line,
            { Text: not null, InputIds: not null } => Malformed(line.CustomId, "The line has both text and input_ids."),
            { Text: null, InputIds: null } => Malformed(line.CustomId, "The line has neither text nor input_ids."),
            { Target: not null, TargetIds: not null } => Malformed(
                line.CustomId,
                "The line has both target and target_ids."
            ),
            { TargetPrefix: not null, DecoderInputIds: not null } => Malformed(
                line.CustomId,
                "The line has both target_prefix and decoder_input_ids."
            ),
            { Target: not null, TargetPrefix: not null }
            or { Target: not null, DecoderInputIds: not null }
            or { TargetIds: not null, TargetPrefix: not null }
            or { TargetIds: not null, DecoderInputIds: not null } => Malformed(
                line.CustomId,
                "The line has both a target, which is scored, and a prefix, which begins what is generated."
            ),
            _ when bytes > SourceLine.MaxBytes => TooLong(line.CustomId),
            _ => line,
        };

    private static SourceLine Failed(string? customId, string code, string message) =>
        new()
        {
            CustomId = customId,
            Error = new LineError { Code = code, Message = message },
        };
}
