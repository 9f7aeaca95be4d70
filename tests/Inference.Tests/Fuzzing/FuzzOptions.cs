using System.Globalization;

namespace Seq2Seq.Inference.Tests.Fuzzing;

/// <summary>
/// How long to look. The usual values are the short form, some inputs for each target; <c>tests/fuzz</c> sets the others by
/// environment variables.
/// </summary>
internal sealed record FuzzOptions
{
    /// <summary>Decides every input.</summary>
    public required int Seed { get; init; }

    /// <summary>Time for all kinds of targets together; zero: the short form.</summary>
    public required TimeSpan Limit { get; init; }

    /// <summary>Only targets whose name has this in it.</summary>
    public required string Only { get; init; }

    public bool IsLong => Limit > TimeSpan.Zero;

    public static FuzzOptions Read() =>
        new()
        {
            Seed = Number("SEED", 1),
            Limit = TimeSpan.FromMinutes(Number("MINUTES", 0)),
            Only = Text("ONLY") ?? "",
        };

    private static int Number(string name, int otherwise) =>
        Text(name) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;

    private static string? Text(string name) =>
        Environment.GetEnvironmentVariable("SEQ2SEQ_FUZZ_" + name) is { Length: > 0 } text ? text : null;
}
