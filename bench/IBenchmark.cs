using Seq2Seq.Bench.Reporting;

namespace Seq2Seq.Bench;

/// <summary>One part of <c>./benchmark</c>.</summary>
internal interface IBenchmark
{
    /// <summary>What <c>--rows</c> calls it.</summary>
    string Id { get; }

    string Title { get; }

    /// <exception cref="UnavailableException">It can't be measured here; the report says why.</exception>
    Task<BenchmarkSection> RunAsync(BenchmarkContext context, CancellationToken cancellationToken);
}

/// <summary>Something that a benchmark needs is not there.</summary>
internal sealed class UnavailableException(string message) : Exception(message);
