using Seq2Seq.Inference.Families.Bart;
using Seq2Seq.Inference.Families.Mbart;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Attention;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.EncoderDecoder;

/// <summary>
/// The forward pass of GPT-2 (Radford et al. 2019) as encoder, as models/gpt2/modeling_gpt2.py of transformers has it: a
/// token sees itself and those before it, here too.
/// </summary>
// A block is x = x + attention(norm(x)), x = x + feed-forward(norm(x)): see PreNormSublayers.
internal sealed class Gpt2EncoderPass(Gpt2Encoder network, Device device) : IEncoderPass
{
    private readonly PreNormSublayers _sublayers = new(network.Configuration.SublayerShape, device);

    public Rows Encode(SourceBatch source)
    {
        network.Tokens.Forward(source.TokenIds, _sublayers.Hidden);
        network.Positions.Forward(source.Positions, _sublayers.Hidden, accumulate: true);
        foreach (BartEncoderLayer layer in network.Layers)
        {
            _sublayers.Attend(layer.SelfAttention, source, AttentionWindow.Causal);
            _sublayers.FeedForward(layer.FeedForward);
        }

        return _sublayers.Enter(network.FinalNorm);
    }

    public void Dispose() => _sublayers.Dispose();
}
