using Seq2Seq.Inference.Families.Bart;
using Seq2Seq.Inference.Families.M2M100;
using Seq2Seq.Inference.Loading;

namespace Seq2Seq.Inference.Families.NllbMoe;

/// <summary>What config.json says of an NLLB-MoE beyond M2M-100 (models/nllb_moe/configuration_nllb_moe.py of transformers 5.17).</summary>
internal sealed record NllbMoeConfiguration
{
    public required BartConfiguration Base { get; init; }
    public required int Experts { get; init; }

    /// <summary>Every so many layers of the encoder the feed-forward is sparse; 0: never.</summary>
    public required int EncoderSparseStep { get; init; }

    public required int DecoderSparseStep { get; init; }
    public required bool HasRouterBias { get; init; }
    public required NllbMoeRouting Routing { get; init; }

    /// <summary>What experts' outputs are multiplied by: one minus the dropout of training.</summary>
    public required float ExpertScale { get; init; }

    /// <summary>Whether tokens go through their likeliest experts; else through the experts 1 and 0.</summary>
    // NllbMoeExperts.forward of 5.17 takes the mask of likeliest experts for a list of experts' numbers, so that expert 1
    // stands for every token's likeliest expert and expert 0 for all others.
    public required bool UsesLikeliestExperts { get; init; }

    /// <summary>How many experts of a layer are computed with: the first ones.</summary>
    public int UsedExperts => UsesLikeliestExperts ? Experts : 2;

    /// <summary>The experts that a token goes through when these are its likeliest ones.</summary>
    public TokenExperts Computed(TokenExperts token) =>
        UsesLikeliestExperts ? token : token with { First = 1, Second = 0 };

    /// <exception cref="ModelConfigurationException">A key can't be used; names it.</exception>
    public static NllbMoeConfiguration Read(ModelConfiguration configuration, bool usesLikeliestExperts)
    {
        ConfigurationSection root = configuration.Root;
        string policy = root.Text("second_expert_policy", "all");
        if (policy is "sampling" or "random")
        {
            throw root.Refuse("second_expert_policy", $"\"{policy}\"", "\"all\": the others draw at random");
        }

        string type = root.Text("router_dtype", "float32");
        if (type != "float32")
        {
            throw root.Refuse("router_dtype", $"\"{type}\"", "\"float32\"");
        }

        return new NllbMoeConfiguration
        {
            Base = M2M100Family.Read(configuration),
            Experts = root.Integer("num_experts", 128, 2, int.MaxValue),
            EncoderSparseStep = root.Integer("encoder_sparse_step", 4, 0, int.MaxValue),
            DecoderSparseStep = root.Integer("decoder_sparse_step", 4, 0, int.MaxValue),
            UsesLikeliestExperts = usesLikeliestExperts,
            HasRouterBias = root.Flag("router_bias", defaultValue: false),
            ExpertScale = (float)(1 - Math.Max(0, root.Number("moe_token_dropout", 0.2))),
            Routing = new NllbMoeRouting
            {
                Capacity = root.Find("expert_capacity") is null
                    ? 64
                    : root.OptionalInteger("expert_capacity", 0, int.MaxValue),
                CapacityFraction = root.Number("moe_eval_capacity_token_fraction", 1),
                NormalizesBeforeDropping = root.Flag("normalize_router_prob_before_dropping", defaultValue: false),
                PrefersLikelyTokens = root.Flag("batch_prioritized_routing", defaultValue: false),
            },
        };
    }
}
