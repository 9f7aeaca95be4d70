namespace Seq2Seq.Inference.Generation;

/// <summary>How tokens are drawn: the options of sampling with every default filled in.</summary>
internal sealed record SamplingSettings
{
    public required double Temperature { get; init; }

    /// <summary>0 is off.</summary>
    public required int TopK { get; init; }

    /// <summary>1 is off.</summary>
    public required double TopP { get; init; }

    public required double? MinP { get; init; }

    /// <summary>1 is off.</summary>
    public required double TypicalP { get; init; }

    /// <summary>0 is off.</summary>
    public required double EpsilonCutoff { get; init; }

    /// <summary>0 is off.</summary>
    public required double EtaCutoff { get; init; }

    /// <summary>Tokens that no option may remove: a beam needs one beside the end tokens.</summary>
    public required int MinTokensToKeep { get; init; }

    public required long Seed { get; init; }
}
