using Seq2Seq.Inference.Tokenization.AddedTokens;

namespace Seq2Seq.Inference.Tokenization.Layouts;

/// <summary>A class's special tokens: the files' where they name them, else the class's own.</summary>
internal sealed class SpecialTokens(TokenizerSettings settings)
{
    public AddedToken Get(string name, string fallback) => settings.Token(name) ?? Plain(fallback);

    public AddedToken? Find(string name) => settings.Token(name);

    /// <summary>A mask that takes the space before it along, unless the files give it flags of their own.</summary>
    public AddedToken Mask(string fallback = "<mask>", bool normalized = true)
    {
        var mask = settings.Token("mask_token", out var isText);
        if (mask is not null && !isText)
            return mask;
        return new AddedToken(mask?.Content ?? fallback)
        {
            Special = true,
            StripLeft = true,
            Normalized = normalized,
        };
    }

    public static AddedToken Plain(string content) => new(content) { Special = true };
}
