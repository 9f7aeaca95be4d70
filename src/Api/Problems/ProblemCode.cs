namespace Seq2Seq.Api.Problems;

/// <summary>
/// A way in which a request can fail: a stable code, its status and what it means. <see cref="ProblemCodes.All"/> is the
/// catalogue that <c>GET /problems/{code}</c> and the documentation show.
/// </summary>
/// <param name="Code">Stable, in snake_case; clients may switch on it.</param>
/// <param name="Status">The HTTP status that goes with it.</param>
/// <param name="Title">The same for every occurrence.</param>
/// <param name="Meaning">What a caller can do about it.</param>
internal sealed record ProblemCode(string Code, int Status, string Title, string Meaning)
{
    /// <summary>The problem's type as a reference on this host, which answers it with the meaning.</summary>
    public string Type => $"/problems/{Code}";
}
