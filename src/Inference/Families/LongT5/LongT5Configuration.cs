using Seq2Seq.Inference.Families.T5;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Weights;

namespace Seq2Seq.Inference.Families.LongT5;

/// <summary>What config.json says of a LongT5 (models/longt5/configuration_longt5.py of transformers 5.17).</summary>
internal sealed record LongT5Configuration
{
    public const string LocalAttention = "LocalSelfAttention";
    public const string TransientGlobalAttention = "TransientGlobalSelfAttention";

    private static readonly Dictionary<string, string> _attentions = new(StringComparer.Ordinal)
    {
        ["local"] = LocalAttention,
        ["transient-global"] = TransientGlobalAttention,
    };

    public required T5Configuration T5 { get; init; }

    /// <summary>Whether the encoder's tokens see sums over the blocks of their line beside the tokens near them.</summary>
    public required bool SeesBlocks { get; init; }

    /// <summary>Greatest distance at which a token of the encoder sees another.</summary>
    public required int LocalRadius { get; init; }

    /// <summary>Tokens of a block.</summary>
    public required int BlockSize { get; init; }

    /// <exception cref="ModelConfigurationException">A key can't be used; names it.</exception>
    public static LongT5Configuration Read(ModelConfiguration configuration, WeightScope weights)
    {
        const string Key = "encoder_attention_type";
        ConfigurationSection root = configuration.Root;
        string attention = root.Choice(Key, "local", _attentions);
        WeightScope first = weights["encoder"]["block"][0]["layer"][0];
        foreach ((string name, string other) in _attentions.Where(pair => pair.Value != attention))
        {
            if (first[other]["q"].Contains("weight") && !first[attention]["q"].Contains("weight"))
            {
                weights.Note(
                    $"{Key} is '{root.Text(Key, "local")}', but the weights are those of '{name}': they decide."
                );
                attention = other;
                break;
            }
        }

        return new LongT5Configuration
        {
            T5 = T5Configuration.Read(configuration),
            SeesBlocks = attention == TransientGlobalAttention,
            LocalRadius = root.Integer("local_radius", 127, 0, int.MaxValue / 4),
            BlockSize = root.Size("global_block_size", 16),
        };
    }
}
