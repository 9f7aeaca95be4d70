namespace Seq2Seq.Inference.Tokenization.PostProcessors;

/// <summary>One after the other (<c>Sequence</c>).</summary>
internal sealed class PostProcessorSequence(IReadOnlyList<IPostProcessor> processors) : IPostProcessor
{
    public int CountAdded(bool isPair) => processors.Sum(processor => processor.CountAdded(isPair));

    public List<List<int>> Process(List<List<int>> sequences, bool addSpecialTokens)
    {
        foreach (var processor in processors)
            sequences = processor.Process(sequences, addSpecialTokens);
        return sequences;
    }
}
