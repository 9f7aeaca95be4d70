using Seq2Seq.Inference.Tokenization.PostProcessors;

namespace Seq2Seq.Inference.Tokenization;

/// <summary>How a pipeline encodes one line: the caller's options with the tokenizer's own settings filled in.</summary>
internal sealed record PipelineEncoding
{
    public IPostProcessor? PostProcessor { get; init; }
    public bool AddSpecialTokens { get; init; } = true;
    public bool SplitSpecialTokens { get; init; }
    public TruncationStrategy Strategy { get; init; }
    public int MaxLength { get; init; }
    public bool TruncateLeft { get; init; }
}
