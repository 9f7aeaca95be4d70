using Seq2Seq.Inference.Families.Bart;
using Seq2Seq.Inference.Families.M2M100;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Weights;

namespace Seq2Seq.Inference.Families.SeamlessM4T;

/// <summary>
/// Text to text with SeamlessM4T (Barrault et al. 2023, arXiv 2308.11596) and its second version (arXiv 2312.05187), whose
/// text encoders and decoders are alike: those of NLLB, so that M2M-100's forward pass computes them
/// (SeamlessM4TForTextToText of models/seamless_m4t/modeling_seamless_m4t.py). Speech is left alone.
/// </summary>
// shared                        [vocabulary, hidden]
// text_encoder.layers.N         self_attn, self_attn_layer_norm as BART's; ffn.fc1, ffn.fc2, ffn_layer_norm
// text_decoder.layers.N         likewise, with cross_attention and cross_attention_layer_norm between
// text_encoder, text_decoder    layer_norm
// lm_head                       [vocabulary, hidden], or shared
// speech_encoder, t2u_model, vocoder: not taken
internal sealed class SeamlessM4TFamily : IFamily
{
    private static readonly BartVariant _variant = new()
    {
        Prefix = null,
        Encoder = "text_encoder",
        Decoder = "text_decoder",
        CrossAttention = "cross_attention",
        FeedForward = new BartFeedForwardNames("ffn.fc1", "ffn.fc2", "ffn_layer_norm"),
        HasEndlessPositions = true,
        HasLogitsBias = false,
        FinalNorm = "layer_norm",
        CreateForwardPass = network => new M2M100ForwardPass(network),
    };

    private static readonly BartDefaults _defaults = new()
    {
        WidthKey = "hidden_size",
        VocabularySize = 256102,
        EncoderLayers = 24,
        DecoderLayers = 24,
        FeedForwardWidth = 8192,
        Activation = "relu",
        ScalesEmbeddings = true,
        Generation = new GenerationParameters
        {
            BosTokenId = 2,
            PadTokenId = 0,
            EosTokenId = [3],
            DecoderStartTokenId = 3,
        },
    };

    public IReadOnlyList<string> ModelTypes { get; } = ["seamless_m4t", "seamless_m4t_v2"];

    public INetwork Build(ModelConfiguration configuration, WeightScope weights, NetworkOptions options)
    {
        BartConfiguration read = BartConfiguration.Read(configuration, _defaults);
        FairseqPositions.Check(configuration.Root, read, _defaults.WidthKey);
        return new BartNetwork(read, _variant, weights, options);
    }
}
