using Seq2Seq.Inference.Families.Bart;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.PegasusX;

/// <summary>
/// The weights of a PEGASUS-X (Phang et al. 2022, arXiv 2208.04347), by their names in models/pegasus_x/modeling_pegasus_x.py
/// of transformers: a BART's without biases in attention, and what the encoder's global tokens need.
/// </summary>
// model.encoder.embed_global                                 [global tokens, model]
// model.encoder.layers.N.global_self_attn_layer_norm
internal sealed class PegasusXNetwork : BartNetwork
{
    private static readonly BartVariant _variant = new()
    {
        HasEndlessPositions = true,
        HasLogitsBias = false,
        HasAttentionBias = false,
        FinalNorm = "layer_norm",
    };

    public PegasusXNetwork(
        BartConfiguration configuration,
        PegasusXBlocks blocks,
        WeightScope weights,
        NetworkOptions options
    )
        : base(configuration, _variant, weights, options)
    {
        using DisposeScope scope = NewDisposeScope();
        Blocks = blocks;
        WeightScope encoder = weights["model"]["encoder"];
        GlobalTokens = new Embedding(
            encoder["embed_global"].Take("weight", blocks.GlobalTokens, configuration.ModelWidth)
        );
        BartWeights take = new(configuration, _variant, weights, options);
        GlobalNorms =
        [
            .. Enumerable
                .Range(0, configuration.EncoderLayers)
                .Select(index => take.Norm(encoder["layers"][index]["global_self_attn_layer_norm"])),
        ];
    }

    public PegasusXBlocks Blocks { get; }

    /// <summary>The states that every line's global tokens begin with.</summary>
    public Embedding GlobalTokens { get; }

    /// <summary>Of each encoder layer, the norm of the global tokens before attention.</summary>
    public IReadOnlyList<LayerNorm> GlobalNorms { get; }

    public override IForwardPass CreateForwardPass() => new PegasusXForwardPass(this);

    protected override void Dispose(bool disposing)
    {
        GlobalTokens.Dispose();
        foreach (LayerNorm norm in GlobalNorms)
        {
            norm.Dispose();
        }

        base.Dispose(disposing);
    }
}
