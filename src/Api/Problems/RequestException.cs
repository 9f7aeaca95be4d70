namespace Seq2Seq.Api.Problems;

/// <summary>The request is wrong and its sender must change it. Thrown where the body is read, answered as a <see cref="Problem"/>.</summary>
internal sealed class RequestException(ProblemCode code, string detail, Exception? innerException = null)
    : Exception(detail, innerException)
{
    private const int LongestFound = 100;

    public ProblemCode Code { get; } = code;

    public string? Field { get; init; }

    public string? Found { get; init; }

    public string? Expected { get; init; }

    public static RequestException Invalid(string field, string found, string expected) =>
        new(ProblemCodes.FieldInvalid, $"{field} is {Cut(found)}; expected {expected}.")
        {
            Field = field,
            Found = Cut(found),
            Expected = expected,
        };

    public static RequestException Missing(string field, string expected) =>
        new(ProblemCodes.FieldMissing, $"{field} is missing; expected {expected}.")
        {
            Field = field,
            Expected = expected,
        };

    public static RequestException Unknown(string field, IEnumerable<string> known)
    {
        string expected = string.Join(", ", known);
        return new(ProblemCodes.FieldUnknown, $"There is no field {Cut(field)}; expected one of {expected}.")
        {
            Field = Cut(field),
            Found = Cut(field),
            Expected = expected,
        };
    }

    public Problem ToProblem() => Problem.Of(Code, Message) with { Field = Field, Found = Found, Expected = Expected };

    private static string Cut(string text) => text.Length <= LongestFound ? text : $"{text[..LongestFound]}…";
}
