using CsCheck;
using Seq2Seq.Inference.Devices;
using Seq2Seq.Inference.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Tests.Layers;

/// <summary>The kernel of the CPU against torch's operators, and both against the definition, written out.</summary>
[Collection(TensorCount.Collection)]
public sealed class AttentionTests
{
    private static readonly Gen<(int Heads, int HeadWidth, int[] Lengths)> Lines = Gen.Select(
        Gen.Int[1, 5],
        Gen.OneOf(Gen.Int[1, 20], Gen.Int[4, 9].Select(eighths => 8 * eighths)),
        Gen.Int[1, 40].Array[0, 6]
    );

    [Fact]
    public void Lines_attend_to_their_own_tokens() =>
        Lines.Sample(
            lines =>
            {
                (int heads, int headWidth, int[] lengths) = lines;
                using DisposeScope scope = NewDisposeScope();
                using AttentionPlan plan = new();
                Array.ForEach(lengths, plan.AddLine);
                using Rows projections = Filled(lengths.Sum(), 3 * heads * headWidth);
                DistanceBias bias = Bias(heads);

                foreach (Attention attention in Both(heads, headWidth))
                {
                    using Rows output = new(attention.Width, CPU);
                    attention.Encode(projections, plan, bias, output);

                    int first = 0;
                    foreach (int length in lengths)
                    {
                        Tensor line = projections.Tensor.narrow(0, first, length);
                        Tensor[] parts = line.chunk(3, 1);
                        Tensor expected = Defined(attention, parts[0], parts[1], parts[2], bias, firstPosition: 0);
                        ShouldBe(output.Tensor.narrow(0, first, length), expected);
                        first += length;
                    }
                }
            },
            iter: 100
        );

    [Fact]
    public void Hypotheses_attend_to_what_came_before_wherever_it_is_stored() =>
        Gen.Select(Lines, Gen.Int[1, 3], Gen.Int)
            .Sample(
                (lines, rows, seed) =>
                {
                    (int heads, int headWidth, int[] lengths) = lines;
                    Random random = new(seed);
                    using DisposeScope scope = NewDisposeScope();
                    using AttentionPlan plan = new();
                    int[] slots = [.. Enumerable.Range(0, 300)];
                    random.Shuffle(slots);
                    List<int[]> histories = [];
                    foreach (int length in lengths)
                    {
                        // The last rows are new; what came before may be shared with the hypothesis before.
                        int[] own = slots[(histories.Count * 40)..((histories.Count * 40) + length)];
                        if (histories.Count > 0)
                        {
                            int shared = Math.Min(length - Math.Min(rows, length), histories[^1].Length);
                            histories[^1].AsSpan(0, shared).CopyTo(own);
                        }

                        histories.Add(own);
                        plan.AddHypothesis(Math.Min(rows, length), own);
                    }

                    using Rows projections = Filled(plan.RowCount, 3 * heads * headWidth);
                    DistanceBias bias = Bias(heads);
                    Tensor before = randn(300, 2 * heads * headWidth);
                    foreach (Attention attention in Both(heads, headWidth))
                    {
                        int width = attention.Width;
                        using KeyValueCache cache = new(layers: 2, width, capacity: 300, CPU);
                        cache.Layer(1).Tensor.copy_(before);
                        using Rows output = new(width, CPU);
                        attention.Decode(projections, cache, layer: 1, plan, bias, output);

                        Tensor memory = before.clone();
                        int row = 0;
                        foreach (int[] history in histories)
                        {
                            int count = Math.Min(rows, history.Length);
                            Tensor own = tensor(history[^count..], ScalarType.Int64);
                            memory.index_copy_(
                                0,
                                own,
                                projections.Tensor.narrow(0, row, count).narrow(1, width, 2 * width)
                            );
                            row += count;
                        }

                        ShouldBe(cache.Layer(1).Tensor, memory);
                        row = 0;
                        foreach (int[] history in histories)
                        {
                            for (int i = Math.Min(rows, history.Length); i > 0; i--, row++)
                            {
                                int[] seen = history[..(history.Length - i + 1)];
                                Tensor known = memory.index_select(0, tensor(seen, ScalarType.Int64));
                                Tensor query = projections.Tensor.narrow(0, row, 1).narrow(1, 0, width);
                                Tensor[] parts = known.chunk(2, 1);
                                Tensor expected = Defined(attention, query, parts[0], parts[1], bias, seen.Length - 1);
                                ShouldBe(output.Tensor.narrow(0, row, 1), expected);
                            }
                        }
                    }
                },
                iter: 100
            );

    [Fact]
    public void Beams_of_a_line_attend_to_its_source() =>
        Gen.Select(Lines, Gen.Int[1, 4])
            .Sample(
                (lines, beams) =>
                {
                    (int heads, int headWidth, int[] lengths) = lines;
                    using DisposeScope scope = NewDisposeScope();
                    using AttentionPlan plan = new();
                    using KeyValueCache cache = new(layers: 1, heads * headWidth, capacity: 300, CPU);
                    using Rows sources = Filled(lengths.Sum(), 2 * heads * headWidth);
                    int[] slots = [.. Enumerable.Range(0, sources.Count).Select(_ => cache.Take())];
                    cache.Store(layer: 0, sources, slots);
                    int first = 0;
                    foreach (int length in lengths)
                    {
                        plan.AddSource(beams, slots.AsSpan(first, length));
                        first += length;
                    }

                    using Rows queries = Filled(plan.RowCount, heads * headWidth);
                    foreach (Attention attention in Both(heads, headWidth))
                    {
                        using Rows output = new(attention.Width, CPU);
                        attention.Cross(queries, cache, layer: 0, plan, output);

                        first = 0;
                        for (int i = 0; i < lengths.Length; i++)
                        {
                            Tensor query = queries.Tensor.narrow(0, i * beams, beams);
                            Tensor[] parts = sources.Tensor.narrow(0, first, lengths[i]).chunk(2, 1);
                            Tensor expected = Defined(
                                attention,
                                query,
                                parts[0],
                                parts[1],
                                bias: null,
                                firstPosition: 0
                            );
                            ShouldBe(output.Tensor.narrow(0, i * beams, beams), expected);
                            first += lengths[i];
                        }
                    }
                },
                iter: 100
            );

    [Fact]
    public void A_line_gives_the_same_bits_alone_and_in_company_and_on_a_team()
    {
        int[] lengths = [7, 1, 33, 12];
        using AttentionPlan plan = new();
        Array.ForEach(lengths, plan.AddLine);
        using Rows projections = Filled(lengths.Sum(), 3 * 96);
        DistanceBias bias = Bias(heads: 3);
        Attention attention = new CpuAttention(heads: 3, headWidth: 32, scale: 0.3f);
        using Rows together = new(96, CPU);
        using Rows onTeam = new(96, CPU);
        using ComputeTeam team = new(3, "test");
        attention.Encode(projections, plan, bias, together);
        using (team.Enter())
        {
            attention.Encode(projections, plan, bias, onTeam);
        }

        onTeam.Span.SequenceEqual(together.Span).Should().BeTrue();
        int first = 0;
        foreach (int length in lengths)
        {
            using AttentionPlan single = new();
            single.AddLine(length);
            using Rows line = new(3 * 96, CPU, length);
            projections.Span.Slice(first * 3 * 96, length * 3 * 96).CopyTo(line.Span);
            using Rows alone = new(96, CPU);
            attention.Encode(line, single, bias, alone);
            together.Span.Slice(first * 96, length * 96).SequenceEqual(alone.Span).Should().BeTrue();
            first += length;
        }
    }

    [Fact]
    public void A_slot_beyond_the_cache_is_refused()
    {
        using AttentionPlan plan = new();
        plan.AddSource(rows: 1, [0, 5]);
        using KeyValueCache cache = new(layers: 1, width: 4, capacity: 5, CPU);
        using Rows queries = Filled(1, 4);
        using Rows output = new(4, CPU);
        Action cross = () => new CpuAttention(1, 4, 1).Cross(queries, cache, 0, plan, output);
        cross.Should().Throw<ArgumentException>().WithMessage("*5 slots*slot 5*");
    }

    [Fact]
    public void Attention_leaves_no_tensors_behind()
    {
        long before = Tensor.TotalCount;
        foreach (Attention attention in Both(heads: 2, headWidth: 8))
        {
            using AttentionPlan plan = new();
            plan.AddHypothesis(rows: 1, [2, 0]);
            using KeyValueCache cache = new(layers: 1, attention.Width, capacity: 3, CPU);
            cache.Layer(0).Span.Clear();
            using Rows projections = Filled(1, 3 * attention.Width);
            using Rows output = new(attention.Width, CPU);
            attention.Decode(projections, cache, layer: 0, plan, Bias(heads: 2), output);
        }

        Tensor.TotalCount.Should().Be(before);
    }

    private static Attention[] Both(int heads, int headWidth) =>
        [new CpuAttention(heads, headWidth, 0.7f), new TorchAttention(heads, headWidth, 0.7f)];

    /// <summary>A bias that tells every distance and head apart, with buckets as coarse as T5's.</summary>
    private static DistanceBias Bias(int heads)
    {
        using Tensor weight = randn(64, heads);
        return new DistanceBias(weight, distance => Math.Clamp(distance, -31, 32) + 31);
    }

    private static Rows Filled(int count, int width)
    {
        Rows rows = new(width, CPU, count);
        rows.Tensor.normal_();
        return rows;
    }

    private static void ShouldBe(Tensor actual, Tensor expected) =>
        allclose(actual, expected, rtol: 1e-4, atol: 1e-5).Should().BeTrue();

    /// <summary>Attention of one line as the paper has it: <c>[queries, width]</c>, <c>[keys, width]</c>.</summary>
    private static unsafe Tensor Defined(
        Attention attention,
        Tensor queries,
        Tensor keys,
        Tensor values,
        DistanceBias? bias,
        int firstPosition
    )
    {
        List<Tensor> heads = [];
        DistanceTable? table = bias?.TableFor(1000);
        for (int head = 0; head < attention.Heads; head++)
        {
            Tensor Part(Tensor all) => all.narrow(1, head * attention.HeadWidth, attention.HeadWidth);
            Tensor scores = Part(queries).matmul(Part(keys).t()) * attention.Scale;
            for (int query = 0; table is not null && query < scores.shape[0]; query++)
            {
                for (int key = 0; key < scores.shape[1]; key++)
                {
                    scores[query, key] += *table.At(head, key - query - firstPosition);
                }
            }

            heads.Add(scores.softmax(-1).matmul(Part(values)));
        }

        return cat(heads, 1);
    }
}
