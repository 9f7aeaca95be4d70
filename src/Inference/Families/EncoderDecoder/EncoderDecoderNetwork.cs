using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.EncoderDecoder;

/// <summary>
/// The weights of two joined halves, by their names in models/encoder_decoder/modeling_encoder_decoder.py of transformers.
/// </summary>
// encoder           a model without head: see BertWeights and Gpt2Weights
// decoder           one with a head and attention to the source, its base model under a name of its own
// enc_to_dec_proj   [decoder width, encoder width] and bias, where the widths differ
internal sealed class EncoderDecoderNetwork : INetwork
{
    public EncoderDecoderNetwork(EncoderDecoderConfiguration configuration, WeightScope weights, NetworkOptions options)
    {
        using DisposeScope scope = NewDisposeScope();
        Configuration = configuration;
        HalfConfiguration encoder = configuration.Encoder;
        HalfConfiguration decoder = configuration.Decoder;
        Shape = new NetworkShape
        {
            Device = options.Device,
            VocabularySize = decoder.VocabularySize,
            SourceVocabularySize = encoder.VocabularySize,
            DecoderLayers = decoder.Layers,
            CacheWidth = 2 * decoder.ModelWidth,
            MemoryWidth = 2 * decoder.ModelWidth,
            MaxSourceTokens = encoder.MaxTokens,
            MaxTargetTokens = decoder.MaxTokens,
        };

        string encoderScope = "encoder.";
        string decoderScope = $"decoder.{decoder.BaseModel}.";
        Encoder = encoder.TakeEncoder(Half(encoderScope, decoderScope));
        if (encoder.ModelWidth != decoder.ModelWidth)
        {
            WeightScope projection = weights["enc_to_dec_proj"];
            Projection = Linear.Create(
                projection.TakeMatrix("weight", decoder.ModelWidth, encoder.ModelWidth),
                projection.Take("bias", decoder.ModelWidth),
                options.ComputeType
            );
        }

        Decoder = decoder.TakeDecoder(Half(decoderScope, encoderScope));

        HalfWeights Half(string own, string other) =>
            new(weights, configuration.IsShared ? [own, other] : [own], options.ComputeType);
    }

    public EncoderDecoderConfiguration Configuration { get; }

    public NetworkShape Shape { get; }

    public GenerationDefaults GenerationDefaults => Configuration.GenerationDefaults;

    public IEncoderHalf Encoder { get; }

    /// <summary>Encoder width → decoder width, where they differ.</summary>
    public Linear? Projection { get; }

    public IDecoderHalf Decoder { get; }

    public IForwardPass CreateForwardPass() => new EncoderDecoderForwardPass(this);

    public void Dispose()
    {
        Encoder.Dispose();
        Projection?.Dispose();
        Decoder.Dispose();
    }
}
