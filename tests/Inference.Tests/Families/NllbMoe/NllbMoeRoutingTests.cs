using Seq2Seq.Inference.Families.NllbMoe;

namespace Seq2Seq.Inference.Tests.Families.NllbMoe;

/// <summary>The routing of tokens against NllbMoeTop2Router.route_tokens of transformers 5.17, read line by line.</summary>
public sealed class NllbMoeRoutingTests
{
    private const int Experts = 5;

    public static TheoryData<int?, double, bool, bool> Settings
    {
        get
        {
            TheoryData<int?, double, bool, bool> settings = [];
            foreach (bool normalizes in (bool[])[false, true])
            {
                foreach (bool prefers in (bool[])[false, true])
                {
                    settings.Add(64, 1, normalizes, prefers);
                    settings.Add(64, 0.25, normalizes, prefers);
                    settings.Add(3, 0, normalizes, prefers);
                    settings.Add(0, 0, normalizes, prefers);
                    settings.Add(null, 0, normalizes, prefers);
                }
            }

            return settings;
        }
    }

    [Theory]
    [MemberData(nameof(Settings))]
    public void Tokens_go_where_the_definition_sends_them(
        int? capacity,
        double fraction,
        bool normalizesBeforeDropping,
        bool prefersLikelyTokens
    )
    {
        NllbMoeRouting routing = new()
        {
            Capacity = capacity,
            CapacityFraction = fraction,
            NormalizesBeforeDropping = normalizesBeforeDropping,
            PrefersLikelyTokens = prefersLikelyTokens,
        };
        foreach (int tokens in (int[])[1, 2, 7, 23])
        {
            float[] logits = Logits(tokens);

            float[,] actual = Gates(routing.Route(logits, Experts));

            float[,] expected = Definition(routing, logits, tokens);
            for (int token = 0; token < tokens; token++)
            {
                for (int expert = 0; expert < Experts; expert++)
                {
                    actual[token, expert]
                        .Should()
                        .BeApproximately(expected[token, expert], 1e-6f, $"token {token} of {tokens}, expert {expert}");
                }
            }
        }
    }

    [Fact]
    public void A_full_expert_drops_tokens()
    {
        NllbMoeRouting routing = new() { CapacityFraction = 0.25 };

        TokenExperts[] tokens = routing.Route(Logits(23), Experts);

        tokens.Should().Contain(token => token.FirstWeight == 0 || token.SecondWeight == 0);
        tokens.Should().Contain(token => token.FirstWeight > 0 && token.SecondWeight > 0);
    }

    private static float[,] Gates(TokenExperts[] tokens)
    {
        float[,] gates = new float[tokens.Length, Experts];
        for (int i = 0; i < tokens.Length; i++)
        {
            tokens[i].First.Should().NotBe(tokens[i].Second);
            gates[i, tokens[i].First] = tokens[i].FirstWeight;
            gates[i, tokens[i].Second] = tokens[i].SecondWeight;
        }

        return gates;
    }

    /// <summary>The gates of every token and expert: masks, cumulative sums and products as the reference has them.</summary>
    private static float[,] Definition(NllbMoeRouting routing, float[] logits, int tokens)
    {
        double[][] probabilities =
        [
            .. Enumerable.Range(0, tokens).Select(i => Softmax(logits[(i * Experts)..][..Experts])),
        ];
        int[] first = [.. probabilities.Select(row => Array.IndexOf(row, row.Max()))];
        int[] second =
        [
            .. probabilities.Select(
                (row, i) => Enumerable.Range(0, Experts).Where(e => e != first[i]).MaxBy(e => row[e])
            ),
        ];
        double[] firstGate = [.. first.Select((e, i) => probabilities[i][e])];
        double[] secondGate = [.. second.Select((e, i) => probabilities[i][e])];
        if (routing.NormalizesBeforeDropping)
        {
            Normalize();
        }

        int[] order = [.. Enumerable.Range(0, tokens)];
        if (routing.PrefersLikelyTokens)
        {
            order = [.. order.OrderByDescending(i => probabilities[i].Max())];
        }

        int capacity =
            routing.CapacityFraction > 0
                ? (int)Math.Ceiling(routing.CapacityFraction * tokens)
                : routing.Capacity ?? 2 * (int)Math.Ceiling((double)tokens / Experts);
        bool[] firstStays = [.. Enumerable.Range(0, tokens).Select(i => Before(first, i) < capacity)];
        bool[] secondStays =
        [
            .. Enumerable.Range(0, tokens).Select(i => Before(second, i) + first.Count(e => e == second[i]) < capacity),
        ];
        if (!routing.NormalizesBeforeDropping)
        {
            for (int i = 0; i < tokens; i++)
            {
                firstGate[i] = firstStays[i] ? firstGate[i] : 0;
                secondGate[i] = secondStays[i] ? secondGate[i] : 0;
            }

            Normalize();
        }

        float[,] gates = new float[tokens, Experts];
        for (int i = 0; i < tokens; i++)
        {
            gates[i, first[i]] = firstStays[i] ? (float)firstGate[i] : 0;
            gates[i, second[i]] = secondStays[i] ? (float)secondGate[i] : 0;
        }

        return gates;

        // How many tokens chose the same expert before this one in the order.
        int Before(int[] choice, int token) =>
            order.TakeWhile(other => other != token).Count(other => choice[other] == choice[token]);

        void Normalize()
        {
            for (int i = 0; i < tokens; i++)
            {
                double sum = Math.Max(firstGate[i] + secondGate[i], 1.1920929e-7);
                firstGate[i] /= sum;
                secondGate[i] /= sum;
            }
        }
    }

    private static double[] Softmax(float[] row)
    {
        double[] powers = [.. row.Select(logit => Math.Exp(logit - row.Max()))];
        return [.. powers.Select(power => power / powers.Sum())];
    }

    // Some experts are liked by most tokens, so that room runs out.
    private static float[] Logits(int tokens)
    {
        Random random = new(17);
        return
        [
            .. Enumerable
                .Range(0, tokens * Experts)
                .Select(i => (float)((2 * random.NextDouble()) + (i % Experts == 3 ? 1.2 : 0))),
        ];
    }
}
