using Seq2Seq.Inference.Families;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Attention;

namespace Seq2Seq.Inference.Tests.Scheduling;

/// <summary>Another network, and what it is asked for.</summary>
internal sealed class WatchedNetwork(INetwork network) : INetwork
{
    private int _encodedTokens;
    private int _screenedSteps;

    public NetworkShape Shape => network.Shape;

    public GenerationDefaults GenerationDefaults => network.GenerationDefaults;

    public int EncodedTokens => Volatile.Read(ref _encodedTokens);

    /// <summary>Steps of the decoder in which logits may be left out.</summary>
    public int ScreenedSteps => Volatile.Read(ref _screenedSteps);

    public IForwardPass CreateForwardPass() => new Pass(this, network.CreateForwardPass());

    /// <summary>The other is not disposed.</summary>
    public void Dispose() { }

    private sealed class Pass(WatchedNetwork owner, IForwardPass pass) : IForwardPass
    {
        public Rows Encode(SourceBatch source)
        {
            Interlocked.Add(ref owner._encodedTokens, source.Tokens);
            return pass.Encode(source);
        }

        public Rows Decode(DecoderBatch batch)
        {
            Interlocked.Add(ref owner._screenedSteps, batch.AsksForLikeliestOnly ? 1 : 0);
            return pass.Decode(batch);
        }

        public void Dispose() => pass.Dispose();
    }
}
