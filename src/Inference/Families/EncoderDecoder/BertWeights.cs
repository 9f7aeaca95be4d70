using Seq2Seq.Inference.Families.Bart;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Matrices;
using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.EncoderDecoder;

/// <summary>
/// Takes the parts of a model of BERT's kind from a checkpoint, by their names in its modeling_*.py of transformers: see
/// <see cref="BertVariant"/>. Use inside a dispose scope.
/// </summary>
// embeddings.word_embeddings [vocabulary, embedding], position_embeddings [positions, embedding], LayerNorm, and where the
//            variant has them token_type_embeddings [types, embedding]
// embeddings_project                     [model, embedding] and bias, where the widths differ
// encoder.layer.N.attention.self       query, key, value [model, model] and biases
//                 attention.output       dense [model, model], LayerNorm
//                 intermediate, output   dense [feed-forward, model], dense [model, feed-forward], LayerNorm
// in a decoder crossattention, made like attention, and a head (decoder [vocabulary, embedding], .bias):
//   BERT              decoder.cls.predictions         transform.dense [model, model], transform.LayerNorm; decoder, bias
//   RoBERTa, its kin  decoder.lm_head                 dense [model, model], layer_norm; decoder, bias
//   BERT generation   decoder.lm_head                 decoder, bias
//   ELECTRA           decoder.generator_predictions   dense [embedding, model], LayerNorm; decoder.generator_lm_head
internal sealed class BertWeights(BertConfiguration configuration, HalfWeights weights)
{
    private const string Words = "embeddings.word_embeddings.weight";

    private readonly BertLayerNames _names = configuration.Variant.LayerNames;

    private int Model => configuration.ModelWidth;

    private int Narrow => configuration.EmbeddingWidth;

    public BertEncoder Encoder() =>
        new(
            configuration,
            Embeddings(weights.NamesOf(Words)),
            [.. Layers().Select(layer => new BartEncoderLayer(SelfAttention(layer), FeedForward(layer)))]
        );

    public BertDecoder Decoder()
    {
        BertHeadNames head = configuration.Variant.Head!;
        string[] words = weights.NamesOf(Words);
        string[] projection = [HalfWeights.HeadName($"{head.Projection}.weight")];
        string[] bias = [HalfWeights.HeadName($"{head.Projection}.bias")];
        return new BertDecoder(
            configuration,
            Embeddings(configuration.IsTied ? [.. words, .. projection] : words),
            [
                .. Layers()
                    .Select(layer => new BartDecoderLayer(
                        SelfAttention(layer),
                        CrossAttention(layer),
                        FeedForward(layer)
                    )),
            ],
            head is { Dense: { } dense, Norm: { } norm } ? HeadLayer(dense, norm) : null,
            new OutputProjection(
                Linear.Create(
                    weights.TakeTiedMatrix(
                        configuration.IsTied ? [.. projection, .. words] : projection,
                        configuration.VocabularySize,
                        Narrow
                    ),
                    weights.TakeTied(
                        head.Bias is { } other ? [.. bias, HalfWeights.HeadName(other)] : bias,
                        configuration.VocabularySize
                    ),
                    weights.ComputeType
                )
            )
        );
    }

    private IEnumerable<string> Layers() =>
        Enumerable.Range(0, configuration.Layers).Select(index => $"{_names.Layers}.{index}.");

    /// <param name="words">Names of the token embeddings: a checkpoint may have any one of them.</param>
    private BertEmbeddings Embeddings(string[] words)
    {
        Tensor positions = weights.Take("embeddings.position_embeddings.weight", configuration.Positions, Narrow);
        Tensor? types = configuration.Variant.HasTokenTypes
            ? weights.Take("embeddings.token_type_embeddings.weight", configuration.TokenTypes, Narrow)
            : null;
        return new BertEmbeddings(
            new Embedding(weights.TakeTied(words, configuration.VocabularySize, Narrow)),
            new Embedding(types is null ? positions : positions + types.narrow(0, 0, 1)),
            Norm("embeddings.LayerNorm", Narrow),
            Narrow == Model ? null : Dense("embeddings_project", Model, Narrow)
        );
    }

    private BartSelfAttention SelfAttention(string layer) =>
        new(
            Fused($"{layer}{_names.Attention}.", _names.Query, _names.Key, _names.Value),
            Dense(layer + _names.Output, Model, Model),
            Norm(layer + _names.AttentionNorm, Model)
        );

    private BartCrossAttention CrossAttention(string layer) =>
        new(
            Dense($"{layer}crossattention.self.query", Model, Model),
            Fused($"{layer}crossattention.self.", "key", "value"),
            Dense($"{layer}crossattention.output.dense", Model, Model),
            Norm($"{layer}crossattention.output.LayerNorm", Model)
        );

    private BartFeedForward FeedForward(string layer) =>
        new(
            Dense(layer + _names.Input, configuration.FeedForwardWidth, Model),
            Dense(layer + _names.FeedForward, Model, configuration.FeedForwardWidth),
            Norm(layer + _names.FeedForwardNorm, Model)
        );

    private BertHead HeadLayer(string dense, string norm)
    {
        Tensor Take(string name) => weights.TakeTied([HalfWeights.HeadName(name)], Narrow);
        return new BertHead(
            Linear.Create(
                weights.TakeTiedMatrix([HalfWeights.HeadName($"{dense}.weight")], Narrow, Model),
                Take($"{dense}.bias"),
                weights.ComputeType
            ),
            new LayerNorm(Take($"{norm}.weight"), Take($"{norm}.bias"), configuration.NormEpsilon)
        );
    }

    private LayerNorm Norm(string name, int width) =>
        new(weights.Take($"{name}.weight", width), weights.Take($"{name}.bias", width), configuration.NormEpsilon);

    private Linear Dense(string name, int outFeatures, int inFeatures) =>
        Linear.Create(
            weights.TakeMatrix($"{name}.weight", outFeatures, inFeatures),
            weights.Take($"{name}.bias", outFeatures),
            weights.ComputeType
        );

    /// <summary>One linear layer of several from model width to model width that take the same input.</summary>
    private Linear Fused(string scope, params ReadOnlySpan<string> names)
    {
        using DisposeScope memory = NewDisposeScope();
        List<WeightMatrix> parts = [];
        List<Tensor> biases = [];
        foreach (string name in names)
        {
            parts.Add(weights.TakeMatrix($"{scope}{name}.weight", Model, Model));
            biases.Add(weights.Take($"{scope}{name}.bias", Model));
        }

        return Linear.Create(JoinedMatrix.Of(parts), cat(biases, 0), weights.ComputeType);
    }
}
