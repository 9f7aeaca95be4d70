namespace Seq2Seq.Inference.Weights;

/// <summary>What the load report says of the weights.</summary>
internal sealed record WeightsSummary
{
    /// <summary>Number of parameters, equal tensors once.</summary>
    public required long ParameterCount { get; init; }

    /// <summary>Bytes read from files.</summary>
    public required long Bytes { get; init; }

    /// <summary>SHA-256 over names, shapes and float32 values, in the order of names; 64 hex digits.</summary>
    public required string Digest { get; init; }

    public required IReadOnlyList<string> Files { get; init; }

    /// <summary>Stored tensors that no parameter took.</summary>
    public required IReadOnlyList<string> UnusedTensors { get; init; }

    public required IReadOnlyList<string> Notes { get; init; }
}
