namespace Seq2Seq.Api.CommandLine.Lines;

/// <summary>A line of an input file: its number from 0, and its bytes without the line break; empty when it was too long to hold.</summary>
internal readonly record struct InputLine(long Number, byte[] Utf8, bool TooLong);
