using Seq2Seq.Inference.Families.Bart;
using Seq2Seq.Inference.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.EncoderDecoder;

/// <summary>
/// Takes the parts of a GPT-2 from a checkpoint, by their names in models/gpt2/modeling_gpt2.py of transformers. Its linear
/// weights are stored <c>[in, out]</c>. Use inside a dispose scope.
/// </summary>
// wte [vocabulary, model], wpe [positions, model], ln_f
// h.N.attn             c_attn [model, 3 model] (query, key, value), c_proj [model, model], and biases
//     crossattention     q_attn [model, model], c_attn [model, 2 model] (key, value), c_proj, and biases
//     mlp                c_fc [model, feed-forward], c_proj [feed-forward, model], and biases
//     ln_1, ln_cross_attn, ln_2
// in a decoder these stand under transformer, beside lm_head [vocabulary, model], which may be wte
internal sealed class Gpt2Weights(Gpt2Configuration configuration, HalfWeights weights)
{
    private int Model => configuration.ModelWidth;

    public Gpt2Encoder Encoder() =>
        new(
            configuration,
            Tokens(weights.NamesOf("wte.weight")),
            Positions(),
            [
                .. Layers()
                    .Select(layer => new BartEncoderLayer(
                        SelfAttention(layer.Name, layer.Scale),
                        FeedForward(layer.Name)
                    )),
            ],
            Norm("ln_f")
        );

    public Gpt2Decoder Decoder()
    {
        string[] words = weights.NamesOf("wte.weight");
        string[] head = [HalfWeights.HeadName("lm_head.weight")];
        return new Gpt2Decoder(
            configuration,
            Tokens(configuration.IsTied ? [.. words, .. head] : words),
            Positions(),
            [
                .. Layers()
                    .Select(layer => new BartDecoderLayer(
                        SelfAttention(layer.Name, layer.Scale),
                        CrossAttention(layer.Name, layer.Scale),
                        FeedForward(layer.Name)
                    )),
            ],
            Norm("ln_f"),
            new OutputProjection(
                Linear.Create(
                    weights.TakeTiedMatrix(
                        configuration.IsTied ? [.. head, .. words] : head,
                        configuration.VocabularySize,
                        Model
                    ),
                    bias: null,
                    weights.ComputeType
                )
            )
        );
    }

    /// <summary>The layers, each with the factor of its attention scores, which is one of queries: in the weights it costs nothing.</summary>
    private IEnumerable<(string Name, double Scale)> Layers() =>
        Enumerable
            .Range(0, configuration.Layers)
            .Select(index => ($"h.{index}.", configuration.ScalesByLayer ? 1.0 / (index + 1) : 1));

    private Embedding Tokens(string[] names) => new(weights.TakeTied(names, configuration.VocabularySize, Model));

    private Embedding Positions() => new(weights.Take("wpe.weight", configuration.Positions, Model));

    private BartSelfAttention SelfAttention(string layer, double scale) =>
        new(
            Dense($"{layer}attn.c_attn", Model, 3 * Model, scale),
            Dense($"{layer}attn.c_proj", Model, Model),
            Norm($"{layer}ln_1")
        );

    private BartCrossAttention CrossAttention(string layer, double scale) =>
        new(
            Dense($"{layer}crossattention.q_attn", Model, Model, scale),
            Dense($"{layer}crossattention.c_attn", Model, 2 * Model),
            Dense($"{layer}crossattention.c_proj", Model, Model),
            Norm($"{layer}ln_cross_attn")
        );

    private BartFeedForward FeedForward(string layer) =>
        new(
            Dense($"{layer}mlp.c_fc", Model, configuration.FeedForwardWidth),
            Dense($"{layer}mlp.c_proj", configuration.FeedForwardWidth, Model),
            Norm($"{layer}ln_2")
        );

    private LayerNorm Norm(string name) =>
        new(weights.Take($"{name}.weight", Model), weights.Take($"{name}.bias", Model), configuration.NormEpsilon);

    /// <param name="name">Its name.</param>
    /// <param name="inFeatures">Width of the input.</param>
    /// <param name="outFeatures">Width of the output.</param>
    /// <param name="queryScale">Factor of the first outputs, as many as the model is wide: the query.</param>
    private Linear Dense(string name, int inFeatures, int outFeatures, double queryScale = 1)
    {
        using DisposeScope memory = NewDisposeScope();
        Tensor weight = weights.Take($"{name}.weight", inFeatures, outFeatures).t().contiguous();
        Tensor bias = weights.Take($"{name}.bias", outFeatures);
        if (queryScale != 1)
        {
            Tensor factors = ones_like(bias);
            factors.narrow(0, 0, Model).mul_(queryScale);
            weight *= factors.unsqueeze(1);
            bias *= factors;
        }

        return Linear.Create(weight, bias, weights.ComputeType);
    }
}
