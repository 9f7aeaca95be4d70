using System.CommandLine;

namespace Seq2Seq.Api.CommandLine;

/// <summary>A command whose help ends with examples.</summary>
internal sealed class ExampleCommand(string name, string description) : Command(name, description)
{
    public IReadOnlyList<string> Examples { get; init; } = [];

    /// <summary>An interrupt lets it end its work in its own time, instead of a few seconds.</summary>
    public bool StopsInOrder { get; init; }
}
