using Seq2Seq.Inference.Tokenization.Layouts;

namespace Seq2Seq.Inference.Tokenization;

/// <summary>
/// Text to token ids and back, as the model's own files say: the ids of Hugging Face transformers 5.17, and for plain
/// text of a <c>spiece.model</c> those of the sentencepiece library that the model was trained with. Thread-safe.
/// </summary>
public abstract class Tokenizer
{
    /// <summary>The language codes that a multilingual tokenizer takes; none for the others.</summary>
    public virtual ModelLanguages Languages => ModelLanguages.None;

    /// <summary>Tokens of a text that its model was made for at most (<c>model_max_length</c>); null where the files name no limit.</summary>
    public virtual int? ModelMaxLength => null;

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

    /// <summary>What a text begins with that every piece of it needs: Marian's code of the target language; empty for most.</summary>
    internal virtual ReadOnlySpan<char> LanguageCodeOf(string text) => [];
}
