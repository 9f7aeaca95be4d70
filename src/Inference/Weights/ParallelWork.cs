using System.Collections.Concurrent;
using Seq2Seq.Inference.Loading;

namespace Seq2Seq.Inference.Weights;

/// <summary>Work on the thread pool that is taken up in order, one item at a time, by as many threads as there are cores.</summary>
internal static class ParallelWork
{
    /// <exception cref="LoadRefusedException">The first that an item threw.</exception>
    public static void Run<T>(IEnumerable<T> items, Action<T> action, CancellationToken cancellationToken)
    {
        var options = new ParallelOptions
        {
            CancellationToken = cancellationToken,
            MaxDegreeOfParallelism = Environment.ProcessorCount,
        };
        try
        {
            Parallel.ForEach(Partitioner.Create(items, EnumerablePartitionerOptions.NoBuffering), options, action);
        }
        catch (AggregateException exception)
            when (exception.InnerExceptions.OfType<LoadRefusedException>().FirstOrDefault() is { } first)
        {
            throw new LoadRefusedException(first.Code, first.Message, exception);
        }
    }
}
