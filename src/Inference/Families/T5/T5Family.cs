using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Weights;

namespace Seq2Seq.Inference.Families.T5;

/// <summary>T5, its first version and 1.1, and what differs from it in a few choices: FLAN-T5, ByT5, mT5, umT5.</summary>
internal sealed class T5Family : IFamily
{
    private const string FirstQuery = "encoder.block.0.layer.0.SelfAttention.q.weight";

    public IReadOnlyList<string> ModelTypes { get; } = ["t5", "mt5", "umt5"];

    public INetwork Build(ModelConfiguration configuration, WeightScope weights, NetworkOptions options) =>
        new T5Network(
            Complete(T5Configuration.Read(configuration), configuration, weights),
            configuration,
            weights,
            options
        );

    // Where d_kv is absent the default may be meant, or forgotten: the weights know, as the number of heads is certain.
    private static T5Configuration Complete(
        T5Configuration configuration,
        ModelConfiguration folder,
        WeightScope weights
    )
    {
        if (
            folder.Root.Has("d_kv")
            || weights.ShapeOf(FirstQuery) is not [long inner, _]
            || inner == configuration.InnerWidth
            || inner > int.MaxValue
            || inner % configuration.Heads != 0
        )
        {
            return configuration;
        }

        int headWidth = (int)(inner / configuration.Heads);
        weights.Note(
            $"d_kv is absent: {headWidth}, since '{FirstQuery}' has {inner} rows for {configuration.Heads} heads (the default would be {configuration.HeadWidth})."
        );
        return configuration with { HeadWidth = headWidth };
    }
}
