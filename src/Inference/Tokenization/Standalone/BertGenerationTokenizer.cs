using Seq2Seq.Inference.Tokenization.Layouts;
using Seq2Seq.Inference.Tokenization.SentencePiece;

namespace Seq2Seq.Inference.Tokenization.Standalone;

/// <summary>BERT for generation (<c>BertGenerationTokenizer</c>): the sentencepiece pieces as they are, nothing around a text.</summary>
internal sealed class BertGenerationTokenizer : StandaloneTokenizer
{
    private const string File = "spiece.model";

    private readonly SentencePieceVocabulary _pieces;

    private BertGenerationTokenizer(TokenizerSettings settings, AddedWords added, SentencePieceProcessor processor)
        : base(settings, added) =>
        _pieces = new SentencePieceVocabulary(processor, token => added.Id(token) ?? processor.PieceToId(token));

    public static Tokenizer Load(TokenizerFolder folder)
    {
        var settings = folder.Settings;
        var special = new SpecialTokens(settings);
        var processor = folder.Guard(File, () => new SentencePieceProcessor(folder.SentencePiece(File)));
        var added = AddedWords.Of(
            settings,
            [
                special.Get("bos_token", "<s>"),
                special.Get("eos_token", "</s>"),
                special.Get("unk_token", "<unk>"),
                special.Get("sep_token", "<::::>"),
                special.Get("pad_token", "<pad>"),
                special.Find("cls_token"),
                special.Find("mask_token"),
            ],
            settings.ExtraSpecialTokens ?? settings.AdditionalSpecialTokens ?? [],
            processor.FindPiece,
            processor.Model.Pieces.Count
        );
        return new BertGenerationTokenizer(settings, added, processor);
    }

    protected override SequenceFrame FrameOf(EncodeOptions options) => SequenceFrame.None;

    protected override void EncodeText(string text, EncodeOptions options, List<int> ids) => _pieces.Encode(text, ids);

    protected override string? TokenOf(int id, DecodeOptions options) => _pieces.PieceOf(id);

    protected override string Join(List<string> tokens, DecodeOptions options) => SentencePieceVocabulary.Join(tokens);
}
