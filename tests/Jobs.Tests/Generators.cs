using CsCheck;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Jobs.Submission;

namespace Seq2Seq.Jobs.Tests;

/// <summary>Random values that a property must hold for.</summary>
internal static class Generators
{
    // Line breaks of every kind, quotes, control characters, formulas, and characters outside the basic plane.
    private static readonly Gen<string> _piece = Gen.OneOf(
        Gen.String["abcdefghijkXYZ0189"],
        Gen.OneOf(
            "\n",
            "\r\n",
            "\"",
            "\\",
            "\0",
            "\u2028",
            " ",
            ",",
            ";",
            "=1+1",
            "é",
            "语",
            "😀",
            "\u200b",
            "{",
            "\t"
        ),
        Gen.Char[' ', '\uD7FF'].Select(character => character.ToString())
    );

    /// <summary>Well-formed text with anything in it.</summary>
    public static Gen<string> Text { get; } = _piece.Array[0, 8].Select(string.Concat);

    public static Gen<IReadOnlyList<int>> TokenIds { get; } =
        Gen.Int[0, 300_000].Array[0, 20].Select(ids => (IReadOnlyList<int>)ids);

    public static Gen<LineError> Error { get; } =
        Gen.Select(
            Gen.OneOf(LineErrorCodes.Malformed, LineErrorCodes.TooLong),
            Text,
            (code, message) => new LineError { Code = code, Message = message }
        );

    private static readonly Gen<SequenceOutput> _output = Gen.Select(
        Text.Null(),
        TokenIds,
        Gen.Double.Where(double.IsFinite),
        Gen.Enum<FinishReason>(),
        Gen.Float.Where(float.IsFinite).Array[0, 4].Null(),
        (text, ids, score, reason, logprobs) =>
            new SequenceOutput
            {
                Text = text,
                TokenIds = ids,
                Score = score,
                FinishReason = reason,
                TokenLogprobs = logprobs,
            }
    );

    public static Gen<SequenceResult> Answer { get; } =
        Gen.Select(
            _output.Array[0, 3],
            Gen.Select(
                    Gen.Int[1, 100_000],
                    Gen.Int[1, 512],
                    (source, kept) => new SourceTruncation(source + kept, kept)
                )
                .Null(),
            (outputs, truncation) => new SequenceResult { Outputs = outputs, Truncation = truncation }
        );

    public static Gen<SourceLine> Line { get; } =
        Gen.Select(
            Text.Null(),
            Gen.OneOf(
                Text.Select(text => new SourceLine { Text = text }),
                TokenIds.Select(ids => new SourceLine { InputIds = ids }),
                Gen.Select(Text, Text, (text, target) => new SourceLine { Text = text, Target = target }),
                Gen.Select(TokenIds, TokenIds, (ids, target) => new SourceLine { InputIds = ids, TargetIds = target }),
                Gen.Select(Text, Text, (text, prefix) => new SourceLine { Text = text, TargetPrefix = prefix }),
                Gen.Select(Text, TokenIds, (text, prefix) => new SourceLine { Text = text, DecoderInputIds = prefix }),
                Error.Select(error => new SourceLine { Error = error }),
                Answer.Select(answer => new SourceLine { Answer = answer })
            ),
            (customId, line) => line with { CustomId = customId }
        );

    public static Gen<SequenceResult> Result { get; } =
        Gen.OneOf(Answer, Error.Select(error => SequenceResult.Failed(error.Code, error.Message)));
}
