namespace Seq2Seq.Inference.Tokenization.Models;

/// <summary>A vocabulary and the rule that cuts a piece of text into its tokens (a <c>model</c> of tokenizer.json).</summary>
internal interface ITokenModel
{
    /// <summary>How many tokens there are; ids of added tokens begin here.</summary>
    int Size { get; }

    int? IdOf(string token);

    string? TokenOf(int id);

    /// <summary>Adds the ids of one piece.</summary>
    /// <exception cref="EncodeException">No token fits, and there is none for the unknown.</exception>
    void Tokenize(ReadOnlySpan<char> piece, List<int> ids);

    /// <summary>The same model for text that must become none of these tokens, whatever stands in it.</summary>
    ITokenModel Without(IReadOnlySet<string> tokens);
}
