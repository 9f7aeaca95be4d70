namespace Seq2Seq.Inference.Tokenization.AddedTokens;

/// <summary>A stretch of text: an added token, or text for the model (<see cref="TokenId"/> null).</summary>
internal readonly record struct TextSegment(int Start, int Length, int? TokenId);
