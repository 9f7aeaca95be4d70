using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.EncoderDecoder;

/// <summary>
/// The weights of two joined halves, by their names in models/encoder_decoder/modeling_encoder_decoder.py of transformers.
/// </summary>
// encoder           a BERT or RoBERTa, see BertWeights
// decoder           one of them with attention to the source, or a GPT-2, see Gpt2Weights
// enc_to_dec_proj   [decoder width, encoder width] and bias, where the widths differ
internal sealed class EncoderDecoderNetwork : INetwork
{
    public EncoderDecoderNetwork(EncoderDecoderConfiguration configuration, WeightScope weights, NetworkOptions options)
    {
        using DisposeScope scope = NewDisposeScope();
        Configuration = configuration;
        int width = configuration.DecoderWidth;
        Shape = new NetworkShape
        {
            Device = options.Device,
            VocabularySize = configuration.BertDecoder?.VocabularySize ?? configuration.Gpt2Decoder!.VocabularySize,
            SourceVocabularySize = configuration.Encoder.VocabularySize,
            DecoderLayers = configuration.BertDecoder?.Layers ?? configuration.Gpt2Decoder!.Layers,
            CacheWidth = 2 * width,
            MemoryWidth = 2 * width,
            MaxSourceTokens = configuration.Encoder.MaxTokens,
            MaxTargetTokens = configuration.BertDecoder?.MaxTokens ?? configuration.Gpt2Decoder!.Positions,
        };

        string? decoderScope = configuration.BertDecoder is { } half ? BertWeights.DecoderScope(half) : null;
        Encoder = new BertWeights(
            configuration.Encoder,
            weights,
            configuration.IsShared ? ["encoder.", decoderScope!] : ["encoder."],
            options.ComputeType
        ).Encoder();
        if (configuration.Encoder.ModelWidth != width)
        {
            WeightScope projection = weights["enc_to_dec_proj"];
            Projection = Linear.Create(
                projection.Take("weight", width, configuration.Encoder.ModelWidth),
                projection.Take("bias", width),
                options.ComputeType
            );
        }

        if (configuration.BertDecoder is { } bert)
        {
            BertDecoder = new BertWeights(
                bert,
                weights,
                configuration.IsShared ? [decoderScope!, "encoder."] : [decoderScope!],
                options.ComputeType
            ).Decoder();
        }
        else
        {
            Gpt2Decoder = new Gpt2Weights(
                configuration.Gpt2Decoder!,
                weights["decoder"],
                options.ComputeType
            ).Decoder();
        }
    }

    public EncoderDecoderConfiguration Configuration { get; }

    public NetworkShape Shape { get; }

    public GenerationDefaults GenerationDefaults => Configuration.GenerationDefaults;

    public BertEncoder Encoder { get; }

    /// <summary>Encoder width → decoder width, where they differ.</summary>
    public Linear? Projection { get; }

    /// <summary>The decoder, if it is a BERT or a RoBERTa.</summary>
    public BertDecoder? BertDecoder { get; }

    /// <summary>The decoder, if it is a GPT-2.</summary>
    public Gpt2Decoder? Gpt2Decoder { get; }

    public IForwardPass CreateForwardPass() => new EncoderDecoderForwardPass(this);

    public void Dispose()
    {
        Encoder.Dispose();
        Projection?.Dispose();
        BertDecoder?.Dispose();
        Gpt2Decoder?.Dispose();
    }
}
