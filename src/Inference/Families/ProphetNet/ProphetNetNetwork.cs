using Seq2Seq.Inference.Families.Bart;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Matrices;
using Seq2Seq.Inference.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Families.ProphetNet;

/// <summary>
/// The weights of a ProphetNet (Qi et al. 2020, arXiv 2001.04063), by their names in
/// models/prophetnet/modeling_prophetnet.py of transformers. <see cref="ProphetNetForwardPass"/> computes on them.
/// </summary>
// prophetnet.word_embeddings               [vocabulary, model]; also encoder.word_embeddings, decoder.word_embeddings
// prophetnet.encoder.position_embeddings     [positions, model], row 0 for padding; embeddings_layer_norm
// prophetnet.encoder.layers.N.self_attn        query_proj, key_proj, value_proj, out_proj, each weight [model, model] and bias
//                            feed_forward        intermediate, output
//                            self_attn_layer_norm, feed_forward_layer_norm
// prophetnet.decoder: likewise, with cross_attn and cross_attn_layer_norm in a layer, and
//   ngram_embeddings                       [streams, model]
//   layers.N.self_attn.relative_pos_embeddings  [buckets × heads, model] and bias
// lm_head [vocabulary, model], or word_embeddings
internal sealed class ProphetNetNetwork : INetwork
{
    private const string HeadName = "lm_head.weight";

    private readonly WeightScope _weights;
    private readonly NetworkOptions _options;

    public ProphetNetNetwork(ProphetNetConfiguration configuration, WeightScope weights, NetworkOptions options)
    {
        using DisposeScope scope = NewDisposeScope();
        _weights = weights;
        _options = options;
        Configuration = configuration;
        Shape = new NetworkShape
        {
            Device = options.Device,
            VocabularySize = configuration.VocabularySize,
            DecoderLayers = configuration.DecoderLayers,
            CacheWidth = 2 * Model,
            MemoryWidth = 2 * Model,
            // The reference gives source tokens beyond the table its last row.
            MaxTargetTokens = configuration.MaxPositions - 2,
        };

        WeightScope model = weights["prophetnet"];
        Encoder = Stack(
            model["encoder"],
            "encoder",
            configuration.EncoderLayers,
            layer => new BartEncoderLayer(
                SelfAttention(layer),
                FeedForward(layer, configuration.EncoderFeedForwardWidth)
            )
        );
        Decoder = Stack(
            model["decoder"],
            "decoder",
            configuration.DecoderLayers,
            layer => new ProphetNetDecoderLayer(
                SelfAttention(layer),
                Dense(
                    configuration.Buckets * configuration.DecoderHeads,
                    Model,
                    layer["self_attn"]["relative_pos_embeddings"]
                ),
                CrossAttention(layer),
                FeedForward(layer, configuration.DecoderFeedForwardWidth)
            )
        );
        PredictStream = FirstPredictStream(model["decoder"]["ngram_embeddings"]);
        Head = new OutputProjection(Linear.Create(Embeddings(HeadName), bias: null, options.ComputeType));
    }

    public ProphetNetConfiguration Configuration { get; }

    public NetworkShape Shape { get; }

    public GenerationDefaults GenerationDefaults => Configuration.GenerationDefaults;

    public ProphetNetStack<BartEncoderLayer> Encoder { get; }

    public ProphetNetStack<ProphetNetDecoderLayer> Decoder { get; }

    /// <summary>What the stream that predicts the next token has in place of a token's embedding, in its one row.</summary>
    public Embedding PredictStream { get; }

    /// <summary>Model width → vocabulary.</summary>
    public OutputProjection Head { get; }

    private int Model => Configuration.ModelWidth;

    public IForwardPass CreateForwardPass() => new ProphetNetForwardPass(this);

    public void Dispose()
    {
        Encoder.Dispose();
        Decoder.Dispose();
        PredictStream.Dispose();
        Head.Dispose();
    }

    // The reference reads the table at ngram - 1 for ngram from 0, so that the first stream has the last row.
    private Embedding FirstPredictStream(WeightScope scope)
    {
        Tensor table = scope.Take("weight", Configuration.PredictStreams, Model);
        return new Embedding(table.narrow(0, Configuration.PredictStreams - 1, 1));
    }

    private ProphetNetStack<TLayer> Stack<TLayer>(
        WeightScope scope,
        string name,
        int layers,
        Func<WeightScope, TLayer> takeLayer
    )
        where TLayer : IDisposable =>
        new(
            new Embedding(Embeddings($"prophetnet.{name}.word_embeddings.weight")),
            new Embedding(scope["position_embeddings"].Take("weight", Configuration.MaxPositions, Model)),
            Norm(scope["embeddings_layer_norm"]),
            [.. Enumerable.Range(0, layers).Select(index => takeLayer(scope["layers"][index]))]
        );

    /// <summary>A matrix that the checkpoint need not have where the configuration ties it to the word embeddings.</summary>
    private Tensor Embeddings(string own)
    {
        string[] names =
        [
            own,
            "prophetnet.word_embeddings.weight",
            "prophetnet.encoder.word_embeddings.weight",
            "prophetnet.decoder.word_embeddings.weight",
            HeadName,
        ];
        return Configuration.TiesEmbeddings
            ? _weights.TakeTied([.. names.Distinct(StringComparer.Ordinal)], Configuration.VocabularySize, Model)
            : _weights.Take(own, Configuration.VocabularySize, Model);
    }

    private BartSelfAttention SelfAttention(WeightScope layer)
    {
        WeightScope attention = layer["self_attn"];
        return new BartSelfAttention(
            Fused(attention["query_proj"], attention["key_proj"], attention["value_proj"]),
            Fused(attention["out_proj"]),
            Norm(layer["self_attn_layer_norm"])
        );
    }

    private BartCrossAttention CrossAttention(WeightScope layer)
    {
        WeightScope attention = layer["cross_attn"];
        return new BartCrossAttention(
            Fused(attention["query_proj"]),
            Fused(attention["key_proj"], attention["value_proj"]),
            Fused(attention["out_proj"]),
            Norm(layer["cross_attn_layer_norm"])
        );
    }

    private BartFeedForward FeedForward(WeightScope layer, int width)
    {
        WeightScope dense = layer["feed_forward"];
        return new BartFeedForward(
            Dense(width, Model, dense["intermediate"]),
            Dense(Model, width, dense["output"]),
            Norm(layer["feed_forward_layer_norm"])
        );
    }

    private LayerNorm Norm(WeightScope scope) => new(scope.Take("weight", Model), scope.Take("bias", Model));

    private Linear Dense(int outFeatures, int inFeatures, WeightScope scope) =>
        Linear.Create(
            scope.TakeMatrix("weight", outFeatures, inFeatures),
            scope.Take("bias", outFeatures),
            _options.ComputeType
        );

    /// <summary>One linear layer of several that take the same input.</summary>
    private Linear Fused(params ReadOnlySpan<WeightScope> scopes)
    {
        List<WeightMatrix> parts = [];
        List<Tensor> biases = [];
        foreach (WeightScope scope in scopes)
        {
            parts.Add(scope.TakeMatrix("weight", Model, Model));
            biases.Add(scope.Take("bias", Model));
        }

        return Linear.Create(JoinedMatrix.Of(parts), cat(biases, 0), _options.ComputeType);
    }
}

/// <summary>The encoder or the decoder.</summary>
internal sealed record ProphetNetStack<TLayer>(
    Embedding Tokens,
    Embedding Positions,
    LayerNorm EmbeddingNorm,
    IReadOnlyList<TLayer> Layers
) : IDisposable
    where TLayer : IDisposable
{
    public void Dispose()
    {
        Tokens.Dispose();
        Positions.Dispose();
        EmbeddingNorm.Dispose();
        foreach (TLayer layer in Layers)
        {
            layer.Dispose();
        }
    }
}

/// <summary>A decoder's layer; its position biases are linear in the hidden state.</summary>
internal sealed record ProphetNetDecoderLayer(
    BartSelfAttention SelfAttention,
    Linear PositionBias,
    BartCrossAttention CrossAttention,
    BartFeedForward FeedForward
) : IDisposable
{
    public void Dispose()
    {
        SelfAttention.Dispose();
        PositionBias.Dispose();
        CrossAttention.Dispose();
        FeedForward.Dispose();
    }
}
