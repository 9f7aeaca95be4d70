namespace Seq2Seq.Inference.Tokenization.PostProcessors;

/// <summary>
/// BERT's frame, [CLS] A [SEP] B [SEP] (<c>BertProcessing</c>), and RoBERTa's, which has two separators between the
/// sequences (<c>RobertaProcessing</c>).
/// </summary>
internal sealed class ClassifierPostProcessor(int start, int separator, bool doubleSeparator) : IPostProcessor
{
    public int CountAdded(bool isPair) =>
        !isPair ? 2
        : doubleSeparator ? 4
        : 3;

    public List<List<int>> Process(List<List<int>> sequences, bool addSpecialTokens)
    {
        if (!addSpecialTokens)
            return sequences;
        var result = new List<List<int>>(sequences.Count);
        foreach (var sequence in sequences)
        {
            if (result.Count == 0)
                result.Add([start, .. sequence, separator]);
            else if (doubleSeparator)
                result.Add([separator, .. sequence, separator]);
            else
                result.Add([.. sequence, separator]);
        }
        return result;
    }
}
