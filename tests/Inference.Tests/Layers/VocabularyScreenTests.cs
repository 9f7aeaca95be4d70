using CsCheck;
using Seq2Seq.Inference.Devices;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Attention;
using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Tests.Layers;

public sealed class VocabularyScreenTests
{
    private static readonly Gen<Case> Cases = Gen.Select(
        Gen.Int[1, 5],
        Gen.Int[1, 70],
        Gen.Int[1, 900],
        Gen.Int[0, 5],
        Gen.Enum<Kind>(),
        Gen.Bool,
        Gen.Int,
        (rows, width, vocabulary, wanted, kind, bias, seed) =>
            new Case(rows, width, vocabulary, Math.Min(wanted, vocabulary), kind, bias, seed)
    );

    public enum Kind
    {
        /// <summary>As at the start of a training.</summary>
        Normal,

        /// <summary>A few hidden dimensions are a thousand times the others, as in trained models.</summary>
        Outliers,

        /// <summary>Many tokens have the same weights, so that many logits are the largest.</summary>
        Ties,

        /// <summary>Logits that differ by less than 8 bits can tell.</summary>
        Close,

        /// <summary>Nothing but zeros.</summary>
        Zero,
    }

    [Fact]
    public void The_likeliest_token_and_every_logit_that_is_written_are_those_of_the_projection() =>
        Cases.Sample(
            given =>
            {
                using DisposeScope scope = NewDisposeScope();
                (Linear exact, Rows hidden, DecoderBatch batch) = given.Make();
                using Rows expected = new(given.Vocabulary, CPU);
                using Rows screened = new(given.Vocabulary, CPU);
                using VocabularyScreen? screen = VocabularyScreen.Create(exact);
                Assert.SkipWhen(screen is null, "This processor has no 8-bit products.");

                exact.Forward(hidden, expected);
                screen.Forward(hidden, batch, screened);

                for (int row = 0; row < given.Rows; row++)
                {
                    ReadOnlySpan<float> all = expected.Row(row);
                    ReadOnlySpan<float> some = screened.Row(row);
                    Scores.ArgMax(some, out float max).Should().Be(Scores.ArgMax(all, out float largest));
                    max.Should().Be(largest);
                    foreach (int token in batch.WantedTokens(row))
                    {
                        some[token].Should().Be(all[token]);
                    }

                    for (int token = 0; token < given.Vocabulary; token++)
                    {
                        if (!float.IsNegativeInfinity(some[token]))
                        {
                            some[token].Should().Be(all[token]);
                        }
                    }
                }

                exact.Dispose();
                hidden.Dispose();
            },
            iter: 300
        );

    [Fact]
    public void The_likeliest_of_the_tokens_that_nobody_wants_is_found_beside_the_wanted()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor weight = zeros(2000, 8);
        weight[7, 0] = 5;
        weight[1234, 0] = 4;
        weight[1900, 0] = 3;
        using Linear exact = Linear.Create(weight, bias: null, ComputeType.Float32);
        using VocabularyScreen? screen = VocabularyScreen.Create(exact);
        Assert.SkipWhen(screen is null, "This processor has no 8-bit products.");
        using Rows hidden = new(8, CPU, count: 1);
        hidden.Span.Clear();
        hidden.Span[0] = 1;
        using Rows logits = new(2000, CPU);

        screen.Forward(hidden, Batch([7]), logits);

        logits.Span[7].Should().Be(5, "it is wanted");
        logits.Span[1234].Should().Be(4, "it is the likeliest where the search forbids the wanted one");
        logits.Span[1900].Should().Be(float.NegativeInfinity, "it can't be");
    }

    [Fact]
    public void Few_logits_are_computed()
    {
        using DisposeScope scope = NewDisposeScope();
        manual_seed(5);
        using Linear exact = Linear.Create(randn(16_000, 256), bias: null, ComputeType.Float32);
        using VocabularyScreen? screen = VocabularyScreen.Create(exact);
        Assert.SkipWhen(screen is null, "This processor has no 8-bit products.");
        using Rows hidden = new(256, CPU, count: 8);
        randn(8, 256).data<float>().CopyTo(hidden.Span);
        using Rows logits = new(16_000, CPU);

        screen.Forward(hidden, Batch([], 8), logits);

        logits.Span.ToArray().Count(float.IsFinite).Should().BeLessThan(8 * 16_000 / 100);
    }

    private static DecoderBatch Batch(int[] wanted, int rows = 1)
    {
        DecoderBatch batch = new(null!, null!);
        for (int row = 0; row < rows; row++)
        {
            batch.Add(tokenId: 0, [row], memoryStart: 0, memoryLength: 1);
            batch.AskForLikeliest(wanted);
        }

        return batch;
    }

    public sealed record Case(int Rows, int Width, int Vocabulary, int Wanted, Kind Kind, bool HasBias, int Seed)
    {
        internal (Linear Exact, Rows Hidden, DecoderBatch Batch) Make()
        {
            manual_seed(Seed);
            Tensor weight = Kind switch
            {
                Kind.Ties => randn(3, Width)[randint(0, 3, Vocabulary)],
                Kind.Close => ones(Vocabulary, Width) + (randn(Vocabulary, Width) * 1e-6),
                Kind.Zero => zeros(Vocabulary, Width),
                _ => randn(Vocabulary, Width),
            };
            Tensor input = randn(Rows, Width);
            if (Kind == Kind.Outliers)
            {
                input.narrow(1, 0, 1).mul_(1000);
            }

            Tensor? bias = HasBias ? randn(Vocabulary) : null;
            Rows hidden = new(Width, CPU, Rows);
            input.contiguous().data<float>().CopyTo(hidden.Span);
            int[] wanted = [.. randint(0, Vocabulary, Wanted).data<long>().Select(token => (int)token)];
            return (Linear.Create(weight, bias, ComputeType.Float32), hidden, Batch(wanted, Rows));
        }
    }
}
