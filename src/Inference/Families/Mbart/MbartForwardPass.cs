using Seq2Seq.Inference.Families.Bart;

namespace Seq2Seq.Inference.Families.Mbart;

/// <summary>
/// The forward pass of mBART (Liu et al. 2020, arXiv 2001.08210), as models/mbart/modeling_mbart.py of transformers has it:
/// BART with a norm before each block, and one after the last.
/// </summary>
// A block is x = x + attention(norm(x)), in the decoder x = x + attention-to-source(norm(x)), x = x + feed-forward(norm(x)):
// see PreNormSublayers.
internal class MbartForwardPass(BartNetwork network)
    : BartForwardPass(network, (shape, device) => new PreNormSublayers(shape, device));
