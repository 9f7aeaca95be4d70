using Seq2Seq.Inference.Families.Mbart;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Attention;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.EncoderDecoder;

/// <summary>
/// The forward pass of GPT-2 (Radford et al. 2019) as decoder of a source, as models/gpt2/modeling_gpt2.py of transformers
/// has it: a norm before each block, learned positions.
/// </summary>
// A block is x = x + attention(norm(x)), x = x + attention-to-source(norm(x)), x = x + feed-forward(norm(x)): see
// PreNormSublayers.
internal sealed class Gpt2DecoderPass(Gpt2Decoder network, Device device) : IDecoderPass
{
    private readonly PreNormSublayers _sublayers = new(network.Configuration.SublayerShape, device);
    private readonly Rows _logits = new(network.Configuration.VocabularySize, device);

    public void Remember(Rows encoded, SourceBatch source) => _sublayers.Remember(network.Layers, encoded, source);

    public Rows Decode(DecoderBatch batch)
    {
        network.Tokens.Forward(batch.TokenIds, _sublayers.Hidden);
        network.Positions.Forward(batch.Positions, _sublayers.Hidden, accumulate: true);
        _sublayers.Decode(network.Layers, batch);
        network.Head.Forward(_sublayers.Enter(network.FinalNorm), batch, _logits);
        return _logits;
    }

    public void Dispose()
    {
        _sublayers.Dispose();
        _logits.Dispose();
    }
}
