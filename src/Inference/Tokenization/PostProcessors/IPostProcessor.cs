namespace Seq2Seq.Inference.Tokenization.PostProcessors;

/// <summary>Puts special tokens around and between sequences (a <c>post_processor</c> of tokenizer.json).</summary>
internal interface IPostProcessor
{
    /// <summary>How many tokens it adds to one sequence, or to a pair.</summary>
    int CountAdded(bool isPair);

    /// <summary>The sequences in order; what is returned is joined in the end.</summary>
    List<List<int>> Process(List<List<int>> sequences, bool addSpecialTokens);
}
