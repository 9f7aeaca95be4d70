using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Weights;

namespace Seq2Seq.Inference.Families.EncoderDecoder;

/// <summary>
/// An encoder and a decoder that were trained apart and then joined by attention to the source (Rothe et al. 2020, arXiv
/// 1907.12461): each a model of BERT's kind (see <see cref="BertVariant"/>) or a GPT-2.
/// </summary>
internal sealed class EncoderDecoderFamily : IFamily
{
    public IReadOnlyList<string> ModelTypes { get; } = ["encoder-decoder"];

    public INetwork Build(ModelConfiguration configuration, WeightScope weights, NetworkOptions options) =>
        new EncoderDecoderNetwork(EncoderDecoderConfiguration.Read(configuration), weights, options);
}
