using Seq2Seq.Inference.Families.Bart;
using Seq2Seq.Inference.Families.M2M100;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Weights;

namespace Seq2Seq.Inference.Families.Fsmt;

/// <summary>Facebook's WMT19 translators (Ng et al. 2019, arXiv 1907.06616), as models/fsmt of transformers has them.</summary>
internal sealed class FsmtFamily : IFamily
{
    private static readonly BartVariant _variant = new()
    {
        HasEndlessPositions = true,
        HasLogitsBias = false,
        Head = "model.decoder.output_projection",
    };

    private static readonly BartDefaults _defaults = new()
    {
        VocabularySize = 42024,
        SourceVocabularyKey = "src_vocab_size",
        TargetVocabularyKey = "tgt_vocab_size",
        Activation = "relu",
        ScalesEmbeddings = true,
        Generation = new GenerationParameters
        {
            BosTokenId = 0,
            PadTokenId = 1,
            EosTokenId = [2],
            DecoderStartTokenId = 2,
        },
    };

    public IReadOnlyList<string> ModelTypes { get; } = ["fsmt"];

    public INetwork Build(ModelConfiguration configuration, WeightScope weights, NetworkOptions options)
    {
        BartConfiguration read = BartConfiguration.Read(configuration, _defaults);
        FairseqPositions.Check(configuration.Root, read);
        bool isTied = configuration.Root.Flag("tie_word_embeddings", defaultValue: false);
        if (isTied && read.SourceVocabularySize != read.VocabularySize)
        {
            throw configuration.Root.Refuse(
                "tie_word_embeddings",
                "true",
                $"false: the vocabularies differ, {read.SourceVocabularySize} and {read.VocabularySize} tokens"
            );
        }

        weights.Note(
            options.AsPublished
                ? "Target tokens have positions of their own, as published: transformers 5.17 gives every one the first position."
                : "A target token's place is not told to the decoder: transformers 5.17, whose tokens are those to equal, gives every one the first position. The model setting AsPublished gives each its own."
        );
        BartVariant variant = _variant with
        {
            CreateForwardPass = network => new FsmtForwardPass(network, options.AsPublished),
            HasSeparateEmbeddings = !isTied,
            StoredPositions = read.MaxSourcePositions + read.PaddingToken!.Value + 1,
        };
        return new BartNetwork(read, variant, weights, options);
    }
}
