namespace Seq2Seq.Inference.Tokenization.PostProcessors;

/// <summary>A template for one sequence and one for a pair (<c>TemplateProcessing</c>).</summary>
internal sealed class TemplatePostProcessor(IReadOnlyList<TemplatePart> single, IReadOnlyList<TemplatePart> pair)
    : IPostProcessor
{
    public int CountAdded(bool isPair) => (isPair ? pair : single).Sum(part => part.Ids.Count);

    public List<List<int>> Process(List<List<int>> sequences, bool addSpecialTokens)
    {
        var result = new List<List<int>>();
        foreach (var part in sequences.Count > 1 ? pair : single)
        {
            if (part.Sequence is { } index)
                result.Add(index < sequences.Count ? sequences[index] : []);
            else if (addSpecialTokens)
                result.Add([.. part.Ids]);
        }
        return result;
    }
}

/// <summary>A sequence (0 or 1), or special tokens.</summary>
internal sealed record TemplatePart(int? Sequence, IReadOnlyList<int> Ids)
{
    public static TemplatePart A { get; } = new(0, []);
    public static TemplatePart B { get; } = new(1, []);

    public static TemplatePart Special(params IReadOnlyList<int> ids) => new(null, ids);
}
