using Seq2Seq.Inference.Families.T5;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Layers;

namespace Seq2Seq.Inference.Families.T5Gemma;

/// <summary>The network of two halves made of Gemma's blocks, whose layers are each family's own.</summary>
internal abstract class GemmaNetwork<TEncoderLayer, TDecoderLayer>(
    GemmaHalf encoderHalf,
    GemmaHalf decoderHalf,
    GenerationDefaults generationDefaults,
    NetworkOptions options
) : INetwork
    where TEncoderLayer : IDisposable
    where TDecoderLayer : IDisposable
{
    public GemmaHalf EncoderHalf { get; } = encoderHalf;

    public GemmaHalf DecoderHalf { get; } = decoderHalf;

    public NetworkShape Shape { get; } =
        new()
        {
            Device = options.Device,
            VocabularySize = decoderHalf.VocabularySize,
            SourceVocabularySize = encoderHalf.VocabularySize,
            DecoderLayers = decoderHalf.Layers,
            CacheWidth = 2 * decoderHalf.KeyWidth,
            MemoryWidth = 2 * decoderHalf.KeyWidth,
        };

    public GenerationDefaults GenerationDefaults { get; } = generationDefaults;

    public abstract T5Stack<TEncoderLayer> Encoder { get; }

    public abstract T5Stack<TDecoderLayer> Decoder { get; }

    /// <summary>Model width → vocabulary, divided by the cap of logits.</summary>
    public abstract Linear Head { get; }

    public abstract IForwardPass CreateForwardPass();

    public void Dispose()
    {
        Encoder.Dispose();
        Decoder.Dispose();
        Head.Dispose();
    }
}
