using CsCheck;
using Seq2Seq.Inference.Devices;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Attention;
using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Tests.Layers.Attention;

/// <summary>The kernel of the CPU and torch's operators, both against the definition, written out.</summary>
[Collection(TensorCount.Collection)]
public sealed class MultiHeadAttentionTests
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
                using KeyValueCache memory = new(layers: 1, 2 * heads * headWidth, CPU);
                SourceBatch source = Source(lengths, memory);
                using Rows projected = Filled(source.Tokens, 3 * heads * headWidth);
                using PositionBias bias = Bias(heads);

                foreach (MultiHeadAttention attention in Both(heads, headWidth))
                {
                    using Rows context = new(attention.Width, CPU);
                    attention.Encode(projected, source, bias, context);

                    for (int line = 0; line < lengths.Length; line++)
                    {
                        Tensor own = projected.Tensor.narrow(0, source.Starts[line], lengths[line]);
                        Tensor[] parts = own.chunk(3, 1);
                        Tensor expected = Defined(attention, parts[0], parts[1], parts[2], bias, firstPosition: 0);
                        ShouldBe(context.Tensor.narrow(0, source.Starts[line], lengths[line]), expected);
                    }
                }
            },
            iter: 60
        );

    [Fact]
    public void Rows_attend_to_their_sequence_wherever_it_is_stored() =>
        Gen.Select(Lines, Gen.Int)
            .Sample(
                (lines, seed) =>
                {
                    (int heads, int headWidth, int[] lengths) = lines;
                    int width = heads * headWidth;
                    using DisposeScope scope = NewDisposeScope();
                    using KeyValueCache cache = new(layers: 2, 2 * width, CPU);
                    int[][] sequences = Sequences(lengths, cache, new Random(seed));
                    DecoderBatch batch = new(cache, cache);
                    foreach (int[] sequence in sequences)
                    {
                        batch.Add(tokenId: 0, sequence, memoryStart: 0, memoryLength: 1);
                    }

                    using Rows projected = Filled(lengths.Length, 3 * width);
                    using PositionBias bias = Bias(heads);
                    Tensor before = randn(cache.Capacity, 2 * width);
                    Tensor after = before.clone();
                    for (int row = 0; row < lengths.Length; row++)
                    {
                        after[sequences[row][^1]] = projected.Tensor[row].narrow(0, width, 2 * width);
                    }

                    foreach (MultiHeadAttention attention in Both(heads, headWidth))
                    {
                        cache.Layer(1).copy_(before);
                        using Rows context = new(width, CPU);
                        attention.Decode(projected, batch, layer: 1, bias, context);

                        ShouldBe(cache.Layer(1), after);
                        for (int row = 0; row < lengths.Length; row++)
                        {
                            Tensor known = after.index_select(0, tensor(sequences[row], ScalarType.Int64));
                            Tensor[] parts = known.chunk(2, 1);
                            Tensor query = projected.Tensor.narrow(0, row, 1).narrow(1, 0, width);
                            Tensor expected = Defined(attention, query, parts[0], parts[1], bias, lengths[row] - 1);
                            ShouldBe(context.Tensor.narrow(0, row, 1), expected);
                        }
                    }
                },
                iter: 60
            );

    [Fact]
    public void Beams_of_a_line_attend_to_its_source() =>
        Gen.Select(Lines, Gen.Int[1, 4])
            .Sample(
                (lines, beams) =>
                {
                    (int heads, int headWidth, int[] lengths) = lines;
                    int width = heads * headWidth;
                    using DisposeScope scope = NewDisposeScope();
                    using KeyValueCache memory = new(layers: 1, 2 * width, CPU);
                    SourceBatch source = Source(lengths, memory);
                    using Rows projected = Filled(source.Tokens, 2 * width);
                    DecoderBatch batch = new(memory, memory);
                    for (int row = 0; row < lengths.Length * beams; row++)
                    {
                        int line = row / beams;
                        batch.Add(tokenId: 0, [0], source.MemoryStarts[line], lengths[line]);
                    }

                    using Rows query = Filled(batch.Count, width);
                    foreach (MultiHeadAttention attention in Both(heads, headWidth))
                    {
                        memory.Layer(0).fill_(float.NaN);
                        attention.Remember(projected, source, layer: 0);
                        using Rows context = new(width, CPU);
                        attention.Recall(query, batch, layer: 0, context);

                        for (int line = 0; line < lengths.Length; line++)
                        {
                            Tensor own = projected.Tensor.narrow(0, source.Starts[line], lengths[line]);
                            Tensor[] parts = own.chunk(2, 1);
                            Tensor queries = query.Tensor.narrow(0, line * beams, beams);
                            Tensor expected = Defined(attention, queries, parts[0], parts[1], bias: null, 0);
                            ShouldBe(context.Tensor.narrow(0, line * beams, beams), expected);
                        }
                    }
                },
                iter: 60
            );

    [Fact]
    public void Tokens_attend_to_those_near_them_and_to_side_keys() =>
        Gen.Select(Lines, Gen.Int[1, 3], Gen.Select(Gen.Int[0, 45], Gen.Int[0, 45]), Gen.Int[0, 5].Array[6])
            .Sample(
                (lines, headsPerKey, window, sides) =>
                {
                    (int keyHeads, int headWidth, int[] lengths) = lines;
                    (int before, int after) = window;
                    int heads = keyHeads * headsPerKey;
                    int width = heads * headWidth;
                    int keyWidth = keyHeads * headWidth;
                    using DisposeScope scope = NewDisposeScope();
                    using KeyValueCache memory = new(layers: 1, 2 * keyWidth, CPU);
                    SourceBatch source = Source(lengths, memory);
                    using Rows projected = Filled(source.Tokens, width + (2 * keyWidth));
                    using PositionBias bias = Bias(heads);
                    int[] starts = new int[lengths.Length + 1];
                    for (int line = 0; line < lengths.Length; line++)
                    {
                        starts[line + 1] = starts[line] + sides[line];
                    }

                    using Rows sideKeys = Filled(starts[^1], width + (2 * keyWidth));
                    SideKeys side = new(sideKeys, starts, [.. source.Positions.Select(position => position / 3)], bias);

                    foreach (MultiHeadAttention attention in Both(heads, headWidth, keyHeads))
                    {
                        using Rows context = new(width, CPU);
                        attention.Encode(projected, source, bias, context, new AttentionWindow(before, after), side);

                        for (int line = 0; line < lengths.Length; line++)
                        {
                            Tensor own = projected.Tensor.narrow(0, source.Starts[line], lengths[line]);
                            Tensor beside = sideKeys.Tensor.narrow(0, starts[line], sides[line]);
                            Tensor distances = Distances(lengths[line], lengths[line]);
                            Tensor near = distances.ge(-before).logical_and(distances.le(after));
                            Tensor places = arange(lengths[line], ScalarType.Int64).div(3, RoundingMode.floor);
                            Tensor expected = Defined(
                                attention,
                                own.narrow(1, 0, width),
                                cat([own, beside], 0).narrow(1, width, keyWidth),
                                cat([own, beside], 0).narrow(1, width + keyWidth, keyWidth),
                                cat(
                                    [
                                        distances,
                                        arange(sides[line], ScalarType.Float32).unsqueeze(0) - places.unsqueeze(1),
                                    ],
                                    1
                                ),
                                cat([near, ones(lengths[line], sides[line], ScalarType.Bool)], 1)
                            );
                            ShouldBe(context.Tensor.narrow(0, source.Starts[line], lengths[line]), expected);
                        }
                    }
                },
                iter: 60
            );

    [Fact]
    public void Tokens_attend_to_those_near_them_and_to_the_global_ones() =>
        Gen.Select(Lines, Gen.Select(Gen.Int[0, 45], Gen.Int[0, 45]), Gen.Int[0, 3].Array[6])
            .Sample(
                (lines, window, globals) =>
                {
                    (int heads, int headWidth, int[] lengths) = lines;
                    (int before, int after) = window;
                    int width = heads * headWidth;
                    using DisposeScope scope = NewDisposeScope();
                    using KeyValueCache memory = new(layers: 1, 2 * width, CPU);
                    SourceBatch source = Source(lengths, memory, globals[..lengths.Length]);
                    using Rows projected = Filled(source.Tokens, 3 * width);
                    foreach (MultiHeadAttention attention in Both(heads, headWidth))
                    {
                        using Rows context = new(width, CPU);
                        attention.Encode(projected, source, bias: null, context, new AttentionWindow(before, after));

                        for (int line = 0; line < lengths.Length; line++)
                        {
                            Tensor[] own = projected.Tensor.narrow(0, source.Starts[line], lengths[line]).chunk(3, 1);
                            Tensor distances = Distances(lengths[line], lengths[line]);
                            Tensor near = distances.ge(-before).logical_and(distances.le(after));
                            Tensor seen = near.logical_or(arange(lengths[line]).lt(globals[line]).unsqueeze(0));
                            Tensor expected = Defined(attention, own[0], own[1], own[2], distances: null, seen);
                            ShouldBe(context.Tensor.narrow(0, source.Starts[line], lengths[line]), expected);
                        }
                    }
                },
                iter: 60
            );

    [Fact]
    public void Rows_attend_to_their_last_tokens_and_to_their_source_at_once() =>
        Gen.Select(Lines, Gen.Int[1, 3], Gen.Int[1, 45], Gen.Int)
            .Sample(
                (lines, headsPerKey, window, seed) =>
                {
                    (int keyHeads, int headWidth, int[] lengths) = lines;
                    int heads = keyHeads * headsPerKey;
                    int width = heads * headWidth;
                    int keyWidth = keyHeads * headWidth;
                    using DisposeScope scope = NewDisposeScope();
                    using KeyValueCache cache = new(layers: 1, 2 * keyWidth, CPU);
                    using KeyValueCache memory = new(layers: 1, 2 * keyWidth, CPU);
                    memory.Layer(0).normal_();
                    int[][] sequences = Sequences(lengths, cache, new Random(seed));
                    DecoderBatch batch = new(cache, memory);
                    for (int row = 0; row < lengths.Length; row++)
                    {
                        batch.Add(tokenId: 0, sequences[row], memoryStart: 7 * row, memoryLength: lengths[^(row + 1)]);
                    }

                    using Rows projected = Filled(lengths.Length, width + (2 * keyWidth));
                    cache.Layer(0).normal_();
                    foreach (MultiHeadAttention attention in Both(heads, headWidth, keyHeads))
                    {
                        using Rows context = new(width, CPU);
                        attention.Decode(projected, batch, layer: 0, bias: null, context, window, withSource: true);

                        for (int row = 0; row < lengths.Length; row++)
                        {
                            int[] seen = sequences[row][^Math.Min(window, lengths[row])..];
                            Tensor known = cat(
                                [
                                    cache.Layer(0).index_select(0, tensor(seen, ScalarType.Int64)),
                                    memory.Layer(0).narrow(0, 7 * row, lengths[^(row + 1)]),
                                ],
                                0
                            );
                            Tensor[] parts = known.chunk(2, 1);
                            Tensor query = projected.Tensor.narrow(0, row, 1).narrow(1, 0, width);
                            Tensor expected = Defined(
                                attention,
                                query,
                                parts[0],
                                parts[1],
                                distances: null,
                                mask: null
                            );
                            ShouldBe(context.Tensor.narrow(0, row, 1), expected);
                        }
                    }
                },
                iter: 60
            );

    [Fact]
    public void A_line_gives_the_same_bits_alone_and_in_company_and_on_a_team()
    {
        int[] lengths = [7, 1, 33, 12, 40, 3, 3, 3, 3, 3, 3, 3, 3, 3];
        using KeyValueCache memory = new(layers: 1, width: 1, CPU);
        SourceBatch source = Source(lengths, memory);
        using Rows projected = Filled(source.Tokens, 3 * 96);
        using PositionBias bias = Bias(heads: 3);
        using CpuAttention attention = new(heads: 3, keyHeads: 3, headWidth: 32, scale: 0.3);
        using Rows together = new(96, CPU);
        attention.Encode(projected, source, bias, together);
        foreach (int threads in (int[])[2, 5])
        {
            using ComputeTeam team = new(threads, "test");
            using ComputeTeam.Membership membership = team.Enter();
            using Rows onTeam = new(96, CPU);
            attention.Encode(projected, source, bias, onTeam);
            onTeam.Span.SequenceEqual(together.Span).Should().BeTrue();
        }

        for (int i = 0; i < lengths.Length; i++)
        {
            SourceBatch single = Source([lengths[i]], memory);
            using Rows line = new(3 * 96, CPU, lengths[i]);
            projected.Slice(source.Starts[i], lengths[i]).CopyTo(line.Span);
            using Rows alone = new(96, CPU);
            attention.Encode(line, single, bias, alone);
            together.Slice(source.Starts[i], lengths[i]).SequenceEqual(alone.Span).Should().BeTrue();
        }
    }

    [Fact]
    public void Long_lines_attend_too()
    {
        using DisposeScope scope = NewDisposeScope();
        using KeyValueCache memory = new(layers: 1, width: 1, CPU);
        SourceBatch source = Source([3000], memory);
        using Rows projected = Filled(3000, 3 * 8);
        using PositionBias bias = Bias(heads: 1);
        using Rows context = new(8, CPU);
        using Rows expected = new(8, CPU);
        new CpuAttention(heads: 1, keyHeads: 1, headWidth: 8, scale: 1).Encode(projected, source, bias, context);
        new TorchAttention(heads: 1, keyHeads: 1, headWidth: 8, scale: 1).Encode(projected, source, bias, expected);
        ShouldBe(context.Tensor, expected.Tensor);
    }

    [Fact]
    public void Rows_of_another_shape_are_refused_with_both_shapes()
    {
        using KeyValueCache memory = new(layers: 1, width: 8, CPU);
        SourceBatch source = Source([2], memory);
        using Rows projected = new(13, CPU, 2);
        using Rows context = new(4, CPU);
        foreach (MultiHeadAttention attention in Both(heads: 1, headWidth: 4))
        {
            Action encode = () => attention.Encode(projected, source, bias: null, context);
            encode.Should().Throw<ArgumentException>().WithMessage("*expects [2, 12]*found [2, 13]*");
        }
    }

    [Fact]
    public void Attention_leaves_no_tensors_behind()
    {
        long before = Tensor.TotalCount;
        foreach (MultiHeadAttention attention in Both(heads: 2, headWidth: 8))
        {
            using KeyValueCache cache = new(layers: 1, width: 32, CPU);
            SourceBatch source = Source([3, 2], cache);
            DecoderBatch batch = new(cache, cache);
            batch.Add(tokenId: 0, [9, 8], source.MemoryStarts[0], memoryLength: 3);
            using PositionBias bias = Bias(heads: 2);
            using Rows lines = Filled(5, 48);
            using Rows keyValues = Filled(5, 32);
            using Rows projected = Filled(1, 48);
            using Rows query = Filled(1, 16);
            using Rows context = new(16, CPU);
            attention.Encode(lines, source, bias, context);
            attention.Remember(keyValues, source, layer: 0);
            attention.Decode(projected, batch, layer: 0, bias, context);
            attention.Recall(query, batch, layer: 0, context);
        }

        Tensor.TotalCount.Should().Be(before);
    }

    private static MultiHeadAttention[] Both(int heads, int headWidth, int? keyHeads = null) =>
        [
            new CpuAttention(heads, keyHeads ?? heads, headWidth, 0.7),
            new TorchAttention(heads, keyHeads ?? heads, headWidth, 0.7),
        ];

    private static SourceBatch Source(int[] lengths, KeyValueCache memory, int[]? globalTokens = null)
    {
        IReadOnlyList<int>[] lines = [.. lengths.Select(length => new int[length])];
        return new SourceBatch(lines, memory, [.. lengths.Select(memory.Take)], globalTokens);
    }

    /// <summary>Locations of sequences, in no order; a sequence may begin like the one before, as beams do.</summary>
    private static int[][] Sequences(int[] lengths, KeyValueCache cache, Random random)
    {
        int first = cache.Take(Math.Max(1, lengths.Sum()));
        int[] locations = [.. Enumerable.Range(first, lengths.Sum())];
        random.Shuffle(locations);
        int[][] sequences = new int[lengths.Length][];
        int taken = 0;
        for (int row = 0; row < lengths.Length; row++)
        {
            sequences[row] = locations[taken..(taken + lengths[row])];
            taken += lengths[row];
            if (row > 0 && random.Next(2) == 0)
            {
                int shared = Math.Min(lengths[row], lengths[row - 1]) - 1;
                sequences[row - 1].AsSpan(0, shared).CopyTo(sequences[row]);
            }
        }

        return sequences;
    }

    /// <summary>A bias that tells every distance and head apart.</summary>
    private static PositionBias Bias(int heads) =>
        new(
            distances =>
            {
                using DisposeScope scope = NewDisposeScope();
                Tensor head = arange(1, heads + 1, ScalarType.Float32);
                Tensor distance = distances.to_type(ScalarType.Float32).unsqueeze(1);
                return (distance * head * 0.37).sin().MoveToOuterDisposeScope();
            },
            CPU
        );

    private static Rows Filled(int count, int width)
    {
        Rows rows = new(width, CPU, count);
        rows.Tensor.normal_();
        return rows;
    }

    private static void ShouldBe(Tensor actual, Tensor expected) =>
        allclose(actual, expected, rtol: 1e-4, atol: 1e-5).Should().BeTrue();

    private static Tensor Defined(
        MultiHeadAttention attention,
        Tensor queries,
        Tensor keys,
        Tensor values,
        PositionBias? bias,
        int firstPosition
    ) =>
        Defined(
            attention,
            queries,
            keys,
            values,
            bias is null ? null : Distances((int)queries.shape[0], (int)keys.shape[0]) - firstPosition,
            mask: null
        );

    /// <summary>
    /// Attention of one line as the paper has it: <c>[queries, width]</c>, <c>[keys, key width]</c>; distances for the bias
    /// and the mask of what is seen are <c>[queries, keys]</c>.
    /// </summary>
    private static Tensor Defined(
        MultiHeadAttention attention,
        Tensor queries,
        Tensor keys,
        Tensor values,
        Tensor? distances,
        Tensor? mask
    )
    {
        List<Tensor> heads = [];
        for (int head = 0; head < attention.Heads; head++)
        {
            int keyHead = head / (attention.Heads / attention.KeyHeads);
            Tensor Part(Tensor all, int place) => all.narrow(1, place * attention.HeadWidth, attention.HeadWidth);
            Tensor scores = Part(queries, head).matmul(Part(keys, keyHead).t()) * 0.7;
            if (distances is not null)
            {
                scores += (distances * (head + 1) * 0.37).sin();
            }

            if (mask is not null)
            {
                scores = scores.masked_fill(mask.logical_not(), float.NegativeInfinity);
            }

            heads.Add(scores.softmax(-1).matmul(Part(values, keyHead)));
        }

        return cat(heads, 1);
    }

    /// <summary>Key − query, <c>[queries, keys]</c>.</summary>
    private static Tensor Distances(int queries, int keys) =>
        arange(keys, ScalarType.Float32).unsqueeze(0) - arange(queries, ScalarType.Float32).unsqueeze(1);
}
