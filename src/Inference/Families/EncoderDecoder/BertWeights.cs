using Seq2Seq.Inference.Devices;
using Seq2Seq.Inference.Families.Bart;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.EncoderDecoder;

/// <summary>A BERT or RoBERTa as encoder. Each token's type is 0: its embedding is part of the positions'.</summary>
internal sealed record BertEncoder(
    Embedding Tokens,
    Embedding Positions,
    LayerNorm EmbeddingNorm,
    IReadOnlyList<BartEncoderLayer> Layers
) : IDisposable
{
    public void Dispose()
    {
        Tokens.Dispose();
        Positions.Dispose();
        EmbeddingNorm.Dispose();
        foreach (BartEncoderLayer layer in Layers)
        {
            layer.Dispose();
        }
    }
}

/// <summary>A BERT or RoBERTa as decoder; the head is a dense layer, a norm and the vocabulary projection.</summary>
internal sealed record BertDecoder(
    Embedding Tokens,
    Embedding Positions,
    LayerNorm EmbeddingNorm,
    IReadOnlyList<BartDecoderLayer> Layers,
    Linear HeadDense,
    LayerNorm HeadNorm,
    OutputProjection Head
) : IDisposable
{
    public void Dispose()
    {
        Tokens.Dispose();
        Positions.Dispose();
        EmbeddingNorm.Dispose();
        foreach (BartDecoderLayer layer in Layers)
        {
            layer.Dispose();
        }

        HeadDense.Dispose();
        HeadNorm.Dispose();
        Head.Dispose();
    }
}

/// <summary>
/// Takes the parts of a BERT or RoBERTa from a checkpoint, by their names in models/bert/modeling_bert.py and models/roberta/
/// modeling_roberta.py of transformers. Use inside a dispose scope.
/// </summary>
/// <param name="configuration">The half's configuration.</param>
/// <param name="weights">The whole checkpoint.</param>
/// <param name="scopes">Where the half's weights stand; the second where they may stand as well, since they are shared.</param>
/// <param name="computeType">What linear layers compute in.</param>
// embeddings.word_embeddings [vocabulary, model], position_embeddings [positions, model], token_type_embeddings [types, model], LayerNorm
// encoder.layer.N.attention.self       query, key, value [model, model] and biases
//                 attention.output       dense [model, model], LayerNorm
//                 intermediate, output   dense [feed-forward, model], dense [model, feed-forward], LayerNorm
// in a decoder crossattention, made like attention, and a head:
//   BERT      decoder.cls.predictions.transform   dense [model, model], LayerNorm; .decoder [vocabulary, model], .bias
//   RoBERTa   decoder.lm_head                     dense [model, model], layer_norm; .decoder [vocabulary, model], .bias
internal sealed class BertWeights(
    BertConfiguration configuration,
    WeightScope weights,
    string[] scopes,
    ComputeType computeType
)
{
    private const string Words = "embeddings.word_embeddings.weight";

    private int Model => configuration.ModelWidth;

    public static string DecoderScope(BertConfiguration configuration) =>
        configuration.IsRoberta ? "decoder.roberta." : "decoder.bert.";

    public BertEncoder Encoder() =>
        new(
            Tokens(),
            Positions(),
            Norm("embeddings.LayerNorm"),
            [.. Layers().Select(layer => new BartEncoderLayer(SelfAttention(layer), FeedForward(layer)))]
        );

    public BertDecoder Decoder()
    {
        WeightScope head = configuration.IsRoberta
            ? weights["decoder"]["lm_head"]
            : weights["decoder"]["cls"]["predictions"];
        WeightScope dense = configuration.IsRoberta ? head["dense"] : head["transform"]["dense"];
        WeightScope norm = configuration.IsRoberta ? head["layer_norm"] : head["transform"]["LayerNorm"];
        string headName = configuration.IsRoberta ? "decoder.lm_head." : "decoder.cls.predictions.";
        string[] words = [.. scopes.Select(scope => scope + Words)];
        string[] bias = [$"{headName}decoder.bias", $"{headName}bias"];
        return new BertDecoder(
            configuration.IsTied ? Tokens($"{headName}decoder.weight") : Tokens(),
            Positions(),
            Norm("embeddings.LayerNorm"),
            [
                .. Layers()
                    .Select(layer => new BartDecoderLayer(
                        SelfAttention(layer),
                        CrossAttention(layer),
                        FeedForward(layer)
                    )),
            ],
            Linear.Create(dense.Take("weight", Model, Model), dense.Take("bias", Model), computeType),
            new LayerNorm(norm.Take("weight", Model), norm.Take("bias", Model), configuration.NormEpsilon),
            new OutputProjection(
                Linear.Create(
                    weights.TakeTied(
                        configuration.IsTied ? [$"{headName}decoder.weight", .. words] : [$"{headName}decoder.weight"],
                        configuration.VocabularySize,
                        Model
                    ),
                    weights.TakeTied(bias, configuration.VocabularySize),
                    computeType
                )
            )
        );
    }

    private IEnumerable<string> Layers() =>
        Enumerable.Range(0, configuration.Layers).Select(index => $"encoder.layer.{index}.");

    /// <param name="tied">Other names of the same table: a checkpoint may have any one of them.</param>
    private Embedding Tokens(params ReadOnlySpan<string> tied) =>
        new(weights.TakeTied([.. scopes.Select(scope => scope + Words), .. tied], configuration.VocabularySize, Model));

    private Embedding Positions()
    {
        Tensor types = Take("embeddings.token_type_embeddings.weight", configuration.TokenTypes, Model);
        Tensor positions = Take("embeddings.position_embeddings.weight", configuration.Positions, Model);
        return new Embedding(positions + types.narrow(0, 0, 1));
    }

    private BartSelfAttention SelfAttention(string layer) =>
        new(
            Fused(Model, Model, $"{layer}attention.self.", "query", "key", "value"),
            Fused(Model, Model, $"{layer}attention.output.", "dense"),
            Norm($"{layer}attention.output.LayerNorm")
        );

    private BartCrossAttention CrossAttention(string layer) =>
        new(
            Fused(Model, Model, $"{layer}crossattention.self.", "query"),
            Fused(Model, Model, $"{layer}crossattention.self.", "key", "value"),
            Fused(Model, Model, $"{layer}crossattention.output.", "dense"),
            Norm($"{layer}crossattention.output.LayerNorm")
        );

    private BartFeedForward FeedForward(string layer) =>
        new(
            Fused(configuration.FeedForwardWidth, Model, $"{layer}intermediate.", "dense"),
            Fused(Model, configuration.FeedForwardWidth, $"{layer}output.", "dense"),
            Norm($"{layer}output.LayerNorm")
        );

    private LayerNorm Norm(string name) =>
        new(Take($"{name}.weight", Model), Take($"{name}.bias", Model), configuration.NormEpsilon);

    /// <summary>One linear layer of several that take the same input.</summary>
    private Linear Fused(int outFeatures, int inFeatures, string scope, params ReadOnlySpan<string> names)
    {
        using DisposeScope memory = NewDisposeScope();
        List<Tensor> parts = [];
        List<Tensor> biases = [];
        foreach (string name in names)
        {
            parts.Add(Take($"{scope}{name}.weight", outFeatures, inFeatures));
            biases.Add(Take($"{scope}{name}.bias", outFeatures));
        }

        return parts.Count == 1
            ? Linear.Create(parts[0], biases[0], computeType)
            : Linear.Create(cat(parts, 0), cat(biases, 0), computeType);
    }

    private Tensor Take(string name, params ReadOnlySpan<long> shape) =>
        weights.TakeTied([.. scopes.Select(scope => scope + name)], shape);
}
