namespace Seq2Seq.Jobs.Storage;

/// <summary>States as they stand in tables and answers: in lower case.</summary>
internal static class StateNames
{
    public static string Of<TState>(TState state)
        where TState : struct, Enum => state.ToString().ToLowerInvariant();
}
