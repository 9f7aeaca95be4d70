using Seq2Seq.Inference.Families.Bart;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Attention;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.EncoderDecoder;

/// <summary>
/// The forward pass of BERT and RoBERTa as decoder, as models/bert/modeling_bert.py and models/roberta/modeling_roberta.py
/// of transformers have it: the encoder's blocks with attention to the source in the middle, and a head with a dense layer.
/// </summary>
// A block is x = norm(x + attention(x)), x = norm(x + attention-to-source(x)), x = norm(x + feed-forward(x)): see
// PostNormSublayers.
internal sealed class BertDecoderPass(BertDecoder network, BertConfiguration configuration, Device device)
    : IDecoderPass
{
    private readonly PostNormSublayers _sublayers = new(configuration.SublayerShape, device);
    private readonly Rows _headInput = new(configuration.ModelWidth, device);
    private readonly Rows _logits = new(configuration.VocabularySize, device);

    public void Remember(Rows encoded, SourceBatch source) => _sublayers.Remember(network.Layers, encoded, source);

    public Rows Decode(DecoderBatch batch)
    {
        Rows hidden = _sublayers.Hidden;
        int[] positions = new int[batch.Count];
        BertPositions.Of(batch, configuration, positions);
        network.Tokens.Forward(batch.TokenIds, hidden);
        network.Positions.Forward(positions, hidden, accumulate: true);
        network.EmbeddingNorm.Forward(hidden, hidden);
        _sublayers.Decode(network.Layers, batch);

        // RoBERTa's head has this one activation, whatever the layers have.
        Activation activation = configuration.IsRoberta ? Activation.Gelu : configuration.Activation;
        network.HeadDense.Forward(hidden, _headInput, activation);
        network.HeadNorm.Forward(_headInput, _headInput);
        network.Head.Forward(_headInput, batch, _logits);
        return _logits;
    }

    public void Dispose()
    {
        _sublayers.Dispose();
        _headInput.Dispose();
        _logits.Dispose();
    }
}
