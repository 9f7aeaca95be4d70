namespace Seq2Seq.Inference.Tokenization.PreTokenizers;

/// <summary>Cuts normalised text into the pieces that the model sees (a <c>pre_tokenizer</c> of tokenizer.json).</summary>
internal interface IPreTokenizer
{
    /// <summary>Adds the parts of a piece, none of them empty.</summary>
    void Split(TextPiece piece, List<TextPiece> output);
}
