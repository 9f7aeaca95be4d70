namespace Seq2Seq.Inference.Tests.Fuzzing;

/// <summary>An input that was not met as it must be.</summary>
/// <param name="Target">The target's name.</param>
/// <param name="File">Where the input was kept.</param>
/// <param name="What">The exception, or the bound that was passed.</param>
internal sealed record FuzzFind(string Target, string File, string What)
{
    public override string ToString() => $"{Target}: {What}\n    input: {File}";
}
