using System.CommandLine;

namespace Seq2Seq.Api.CommandLine;

/// <summary>A command whose help ends with examples.</summary>
internal sealed class ExampleCommand(string name, string description) : Command(name, description)
{
    public IReadOnlyList<string> Examples { get; init; } = [];
}
