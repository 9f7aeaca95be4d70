using Seq2Seq.Inference.Generation;

namespace Seq2Seq.Api.CommandLine.Lines;

/// <summary>A line is not what the command reads; it becomes that line's answer.</summary>
internal sealed class LineFormatException(string message, string code = LineErrorCodes.Malformed) : Exception(message)
{
    public LineError Error { get; } = new() { Code = code, Message = message };
}
