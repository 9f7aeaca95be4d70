namespace Seq2Seq.Inference.Tokenization.Decoders;

/// <summary>Turns tokens back into text (a <c>decoder</c> of tokenizer.json); what is returned is joined in the end.</summary>
internal interface ITokenDecoder
{
    List<string> Decode(List<string> tokens);
}
