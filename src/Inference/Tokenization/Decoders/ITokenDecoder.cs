namespace Seq2Seq.Inference.Tokenization.Decoders;

/// <summary>Turns tokens back into text (a <c>decoder</c> of tokenizer.json); what is returned is joined in the end.</summary>
internal interface ITokenDecoder
{
    List<string> Decode(List<string> tokens);

    /// <summary>The bytes of UTF-8 that a token stands for where it may be less than a character; null: it is text.</summary>
    byte[]? BytesOf(string token) => null;
}
