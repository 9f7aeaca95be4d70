using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Tokenization;

namespace Seq2Seq.Inference;

/// <summary>
/// A model folder's tokenizer, or why it has none: a folder without a usable tokenizer still takes token ids; its lines of text
/// fail, with the reason.
/// </summary>
internal sealed record FolderTokenizer(Tokenizer? Tokenizer, TokenizerLoadException? Error)
{
    /// <exception cref="LoadRefusedException">The folder can't be listed.</exception>
    public static FolderTokenizer Load(string folder)
    {
        try
        {
            return new FolderTokenizer(Tokenizer.Load(ModelFolder.Open(folder).FullPath), Error: null);
        }
        catch (TokenizerLoadException exception)
        {
            return new FolderTokenizer(Tokenizer: null, exception);
        }
    }
}
