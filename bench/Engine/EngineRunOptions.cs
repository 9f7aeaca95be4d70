using Seq2Seq.Inference.Loading;

namespace Seq2Seq.Bench.Engine;

/// <summary>What one run of an engine, ours or a peer's, does: the same words as the peers' script has.</summary>
internal sealed record EngineRunOptions
{
    public required string Model { get; init; }

    /// <summary>A text file, one source a line.</summary>
    public required string Lines { get; init; }

    public string Compute { get; init; } = "float32";
    public int Beam { get; init; } = 1;

    /// <summary>Cores of each worker.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>Models side by side, each with its share of the lines.</summary>
    public int Workers { get; init; } = 1;

    public int MaxNew { get; init; } = 64;
    public int MinNew { get; init; }

    /// <summary>Lines handed over at once; 1 is one line at a time, 0 is all.</summary>
    public int Batch { get; init; }

    public int Limit { get; init; } = int.MaxValue;

    /// <summary>Further generation parameters as a JSON object of Hugging Face's names, or null. Ours alone.</summary>
    public string? Parameters { get; init; }

    /// <summary>What to save by. Ours alone.</summary>
    public LosslessSavings Savings { get; init; } = new();

    /// <summary>Where the outputs go, or null.</summary>
    public string? Out { get; init; }
}
