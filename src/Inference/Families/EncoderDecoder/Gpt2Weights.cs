using Seq2Seq.Inference.Devices;
using Seq2Seq.Inference.Families.Bart;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.EncoderDecoder;

/// <summary>A GPT-2 as decoder, with attention to a source.</summary>
internal sealed record Gpt2Decoder(
    Embedding Tokens,
    Embedding Positions,
    IReadOnlyList<BartDecoderLayer> Layers,
    LayerNorm FinalNorm,
    OutputProjection Head
) : IDisposable
{
    public void Dispose()
    {
        Tokens.Dispose();
        Positions.Dispose();
        foreach (BartDecoderLayer layer in Layers)
        {
            layer.Dispose();
        }

        FinalNorm.Dispose();
        Head.Dispose();
    }
}

/// <summary>
/// Takes the parts of a GPT-2 from a checkpoint, by their names in models/gpt2/modeling_gpt2.py of transformers. Its linear
/// weights are stored <c>[in, out]</c>. Use inside a dispose scope.
/// </summary>
// transformer.wte [vocabulary, model], wpe [positions, model], ln_f
// transformer.h.N.attn             c_attn [model, 3 model] (query, key, value), c_proj [model, model], and biases
//                 crossattention     q_attn [model, model], c_attn [model, 2 model] (key, value), c_proj, and biases
//                 mlp                c_fc [model, feed-forward], c_proj [feed-forward, model], and biases
//                 ln_1, ln_cross_attn, ln_2
// lm_head [vocabulary, model], or wte
internal sealed class Gpt2Weights(Gpt2Configuration configuration, WeightScope weights, ComputeType computeType)
{
    private readonly WeightScope _transformer = weights["transformer"];

    private int Model => configuration.ModelWidth;

    public Gpt2Decoder Decoder()
    {
        string[] head = ["lm_head.weight", "transformer.wte.weight"];
        return new Gpt2Decoder(
            new Embedding(
                weights.TakeTied(
                    configuration.IsTied ? [head[1], head[0]] : head.AsSpan(1),
                    configuration.VocabularySize,
                    Model
                )
            ),
            new Embedding(_transformer["wpe"].Take("weight", configuration.Positions, Model)),
            [.. Enumerable.Range(0, configuration.Layers).Select(Layer)],
            Norm(_transformer["ln_f"]),
            new OutputProjection(
                Linear.Create(
                    weights.TakeTied(
                        configuration.IsTied ? head : head.AsSpan(0, 1),
                        configuration.VocabularySize,
                        Model
                    ),
                    bias: null,
                    computeType
                )
            )
        );
    }

    private BartDecoderLayer Layer(int index)
    {
        WeightScope layer = _transformer["h"][index];
        WeightScope cross = layer["crossattention"];
        // A scale of scores is one of queries; in the weights it costs nothing.
        double scale = configuration.ScalesByLayer ? 1.0 / (index + 1) : 1;
        return new BartDecoderLayer(
            new BartSelfAttention(
                Dense(layer["attn"]["c_attn"], Model, 3 * Model, scale),
                Dense(layer["attn"]["c_proj"], Model, Model),
                Norm(layer["ln_1"])
            ),
            new BartCrossAttention(
                Dense(cross["q_attn"], Model, Model, scale),
                Dense(cross["c_attn"], Model, 2 * Model),
                Dense(cross["c_proj"], Model, Model),
                Norm(layer["ln_cross_attn"])
            ),
            new BartFeedForward(
                Dense(layer["mlp"]["c_fc"], Model, configuration.FeedForwardWidth),
                Dense(layer["mlp"]["c_proj"], configuration.FeedForwardWidth, Model),
                Norm(layer["ln_2"])
            )
        );
    }

    private LayerNorm Norm(WeightScope scope) =>
        new(scope.Take("weight", Model), scope.Take("bias", Model), configuration.NormEpsilon);

    /// <param name="scope">Where it stands.</param>
    /// <param name="inFeatures">Width of the input.</param>
    /// <param name="outFeatures">Width of the output.</param>
    /// <param name="queryScale">Factor of the first outputs, as many as the model is wide: the query.</param>
    private Linear Dense(WeightScope scope, int inFeatures, int outFeatures, double queryScale = 1)
    {
        using DisposeScope memory = NewDisposeScope();
        Tensor weight = scope.Take("weight", inFeatures, outFeatures).t().contiguous();
        Tensor bias = scope.Take("bias", outFeatures);
        if (queryScale != 1)
        {
            Tensor factors = ones_like(bias);
            factors.narrow(0, 0, Model).mul_(queryScale);
            weight *= factors.unsqueeze(1);
            bias *= factors;
        }

        return Linear.Create(weight, bias, computeType);
    }
}
