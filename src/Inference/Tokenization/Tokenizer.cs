using Seq2Seq.Inference.Tokenization.Layouts;

namespace Seq2Seq.Inference.Tokenization;

/// <summary>
/// Text to token ids and back, as the model's own files say: the ids of Hugging Face transformers 5.17, and for plain
/// text of a <c>spiece.model</c> those of the sentencepiece library that the model was trained with. Thread-safe.
/// </summary>
public abstract class Tokenizer
{
    /// <summary>The language codes that a multilingual vocabulary knows, in its own spelling; empty for the others.</summary>
    public virtual IReadOnlyList<string> Languages => [];

    /// <summary>Builds the tokenizer of a model folder from its files.</summary>
    /// <exception cref="TokenizerLoadException">No tokenizer files, or files that can't be used; says which and why.</exception>
    public static Tokenizer Load(string folder) => TokenizerFolder.Load(folder);

    /// <summary>The ids of one text, or of a text and its pair.</summary>
    /// <exception cref="EncodeException">The options ask for what this text or this tokenizer can't give.</exception>
    public abstract IReadOnlyList<int> Encode(string text, EncodeOptions options);

    /// <summary>The text of a list of ids. Ids that the vocabulary does not know give no text.</summary>
    public abstract string Decode(IReadOnlyList<int> tokenIds, DecodeOptions options);

    /// <summary>
    /// The id that generation must begin with to answer in this language (<c>forced_bos_token_id</c>); null where the
    /// tokenizer has no such token.
    /// </summary>
    public virtual int? ForcedBosTokenId(string targetLanguage) => null;

    /// <summary>The bytes of UTF-8 that a token stands for where it may be less than a character; null: it is text.</summary>
    internal virtual byte[]? BytesOf(int tokenId) => null;
}
