using CsCheck;
using Seq2Seq.Inference.Devices;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Scheduling;
using Seq2Seq.Inference.Tests.Families;

namespace Seq2Seq.Inference.Tests.Scheduling;

[Collection(TensorCount.Collection)]
public sealed class RunningBatchTests : IDisposable
{
    private readonly LoadedNetwork _loaded = GoldenFamily.Open("t5").Load();

    public void Dispose() => _loaded.Dispose();

    [Fact]
    public Task A_line_has_the_same_outputs_alone_and_in_any_company_and_order() =>
        Gen.Int[1, 60]
            .SelectMany(count => Gen.Select(Line.Array[count], Gen.Shuffle(Enumerable.Range(0, count).ToArray())))
            .SampleAsync(
                async test =>
                {
                    (var lines, int[] order) = test;
                    using RunningBatch small = Start(threads: 1, maxRows: 1);
                    using RunningBatch large = Start(threads: 2, maxRows: 24);
                    LineRequest[] alone = [.. lines.Select(Request)];
                    LineRequest[] together = [.. lines.Select(Request)];
                    small.Add(new LineCall(alone.Length), alone);
                    foreach (int[] part in order.Chunk(7))
                    {
                        large.Add(new LineCall(part.Length), [.. part.Select(index => together[index])]);
                    }

                    return (await TokensAsync(alone)).SequenceEqual(await TokensAsync(together));
                },
                iter: 20,
                threads: 1
            );

    [Fact]
    public async Task Lines_that_outgrow_the_memory_wait_again_and_lose_nothing()
    {
        LineRequest[] Lines() =>
            [
                .. Enumerable
                    .Range(0, 30)
                    .Select(i => new LineRequest(
                        [5, i, 7, 1],
                        Settings(1 + (i % 3), maxNew: 60, minNew: 60),
                        CancellationToken.None
                    )),
            ];
        BatchLimits roomy = new() { MaxRows = 24, MaxEncoderTokens = 64 };
        long bytesPerToken =
            (long)_loaded.Network.Shape.CacheWidth * sizeof(float) * _loaded.Network.Shape.DecoderLayers;
        // All begin, and a few have room to end.
        BatchLimits narrow = roomy with
        {
            MaxCacheBytes = 500 * bytesPerToken,
        };
        using RunningBatch unbound = new(_loaded.Network, new ComputeCores(1), roomy, new LosslessSavings(), "test");
        using RunningBatch bound = new(_loaded.Network, new ComputeCores(1), narrow, new LosslessSavings(), "test");
        LineRequest[] expected = Lines();
        LineRequest[] lines = Lines();
        unbound.Add(new LineCall(expected.Length), expected);
        bound.Add(new LineCall(lines.Length), lines);

        (await TokensAsync(lines)).Should().Equal(await TokensAsync(expected));
        bound.Restarts.Should().BePositive();
        unbound.Restarts.Should().Be(0);
    }

    [Fact]
    public async Task A_cancelled_line_leaves_and_the_others_finish()
    {
        using RunningBatch batch = Start(threads: 1, maxRows: 8);
        using CancellationTokenSource cancellation = new();
        LineRequest endless = new([5, 6, 1], Settings(1, 1_000_000, minNew: 1_000_000), cancellation.Token);
        LineRequest other = new([7, 1], Settings(4, 10, minNew: 10), CancellationToken.None);
        batch.Add(new LineCall(2), [endless, other]);

        (await other.Outputs)[0].TokenIds.Should().HaveCount(10);
        endless.Outputs.IsCompleted.Should().BeFalse();
        await cancellation.CancelAsync();

        await endless
            .Awaiting(request => request.Outputs)
            .Should()
            .ThrowAsync<OperationCanceledException>()
            .WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Lines_that_are_not_finished_fail_when_the_model_is_unloaded()
    {
        RunningBatch batch = Start(threads: 1, maxRows: 1);
        LineRequest[] requests =
        [
            .. Enumerable
                .Range(0, 3)
                .Select(_ => new LineRequest(
                    [5, 6, 1],
                    Settings(1, 1_000_000, minNew: 1_000_000),
                    CancellationToken.None
                )),
        ];
        batch.Add(new LineCall(requests.Length), requests);

        batch.Dispose();

        foreach (LineRequest request in requests)
        {
            await request.Awaiting(line => line.Outputs).Should().ThrowAsync<ObjectDisposedException>();
        }

        batch
            .Invoking(stopped => stopped.Add(new LineCall(requests.Length), requests))
            .Should()
            .Throw<ObjectDisposedException>();
    }

    [Fact]
    public async Task A_line_with_more_beams_than_rows_is_decoded_by_itself()
    {
        using RunningBatch batch = Start(threads: 1, maxRows: 2);
        LineRequest[] requests =
        [
            new([5, 6, 1], Settings(5, 6, minNew: 6), CancellationToken.None),
            new([5, 6, 1], Settings(1, 6, minNew: 6), CancellationToken.None),
        ];
        batch.Add(new LineCall(requests.Length), requests);

        (await requests[0].Outputs)[0].TokenIds.Should().HaveCount(6);
        (await requests[1].Outputs)[0].TokenIds.Should().HaveCount(6);
    }

    [Fact]
    public async Task Batches_that_share_a_core_take_turns()
    {
        ComputeCores core = new(1);
        BatchLimits limits = new() { MaxRows = 4, MaxEncoderTokens = 64 };
        using RunningBatch busy = new(_loaded.Network, core, limits, new LosslessSavings(), "busy");
        using RunningBatch other = new(_loaded.Network, core, limits, new LosslessSavings(), "other");
        LineRequest endless = new([5, 6, 1], Settings(1, 1_000_000, minNew: 1_000_000), CancellationToken.None);
        LineRequest line = new([5, 6, 1], Settings(1, 20, minNew: 20), CancellationToken.None);
        busy.Add(new LineCall(1), [endless]);

        other.Add(new LineCall(1), [line]);

        (await line.Outputs)[0].TokenIds.Should().HaveCount(20);
        endless.Outputs.IsCompleted.Should().BeFalse();
    }

    [Theory]
    [InlineData(true, 3 + 9 + 6)]
    [InlineData(false, 3 * 9)]
    public async Task Padding_is_encoded_only_where_it_is_not_saved_and_changes_no_output(bool saves, int tokens)
    {
        WatchedNetwork network = new(_loaded.Network);
        using RunningBatch batch = new(
            network,
            new ComputeCores(1),
            new BatchLimits(),
            new LosslessSavings { PaddingRemoval = saves },
            "test"
        );
        using RunningBatch usual = Start(threads: 1, maxRows: 24);
        LineRequest[] lines = Lines();
        LineRequest[] expected = Lines();
        batch.Add(new LineCall(lines.Length), lines);
        usual.Add(new LineCall(expected.Length), expected);

        (await TokensAsync(lines)).Should().Equal(await TokensAsync(expected));
        network.EncodedTokens.Should().Be(tokens);

        LineRequest[] Lines() =>
            [
                .. new[] { 3, 9, 6 }.Select(length => new LineRequest(
                    [.. Enumerable.Range(5, length)],
                    Settings(beams: 2, maxNew: 20, minNew: 20),
                    CancellationToken.None
                )),
            ];
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_network_is_asked_for_the_likeliest_token_alone_only_where_that_saves(bool saves)
    {
        WatchedNetwork network = new(_loaded.Network);
        using RunningBatch batch = new(
            network,
            new ComputeCores(1),
            new BatchLimits(),
            new LosslessSavings { Screening = saves },
            "test"
        );
        LineRequest line = new(
            [5, 6, 1],
            Settings(beams: 1, maxNew: 20, minNew: 20) with
            {
                ReturnScores = false,
                Drafting = false,
            },
            CancellationToken.None
        );
        batch.Add(new LineCall(1), [line]);

        (await line.Outputs)[0].TokenIds.Should().HaveCount(20);
        network.ScreenedSteps.Should().Be(saves ? 20 : 0);
    }

    [Fact]
    public async Task Nothing_is_left_when_a_batch_is_disposed()
    {
        long before = TorchSharp.torch.Tensor.TotalCount;
        using (RunningBatch batch = Start(threads: 2, maxRows: 24))
        {
            LineRequest[] requests =
            [
                .. Enumerable
                    .Range(0, 50)
                    .Select(i => new LineRequest([5, i, 1], Settings(1 + (i % 4), 12), CancellationToken.None)),
            ];
            batch.Add(new LineCall(requests.Length), requests);
            await Task.WhenAll(requests.Select(request => request.Outputs));
        }

        TorchSharp.torch.Tensor.TotalCount.Should().Be(before);
    }

    private static Gen<(int[] Source, int Beams, int MaxNew, int NoRepeat, bool IsSampled)> Line =>
        Gen.Select(Gen.Int[2, 119].Array[1, 20], Gen.Int[1, 5], Gen.Int[1, 12], Gen.Int[0, 3], Gen.Bool);

    private LineRequest Request((int[] Source, int Beams, int MaxNew, int NoRepeat, bool IsSampled) line) =>
        new(
            line.Source,
            Settings(line.Beams, line.MaxNew, line.NoRepeat, isSampled: line.IsSampled),
            CancellationToken.None
        )
        {
            Line = line.Source.Sum(),
        };

    private RunningBatch Start(int threads, int maxRows) =>
        new(
            _loaded.Network,
            new ComputeCores(threads),
            new BatchLimits { MaxRows = maxRows, MaxEncoderTokens = 64 },
            new LosslessSavings(),
            "test"
        );

    private GenerationSettings Settings(
        int beams,
        int maxNew,
        int noRepeat = 0,
        int? minNew = null,
        bool isSampled = false
    ) =>
        GenerationSettings.Resolve(
            new GenerationParameters
            {
                NumBeams = beams,
                MaxNewTokens = maxNew,
                MinNewTokens = minNew,
                NoRepeatNgramSize = noRepeat,
                DoSample = isSampled,
                Drafting = true,
                Seed = 1,
                NumReturnSequences = isSampled ? beams : 1,
            },
            _loaded.Network.GenerationDefaults,
            _loaded.Network.Shape.VocabularySize,
            maxPositions: null,
            ParameterTexts.None
        );

    private static async Task<IEnumerable<int>> TokensAsync(IEnumerable<LineRequest> requests)
    {
        IReadOnlyList<SequenceOutput>[] outputs = await Task.WhenAll(requests.Select(request => request.Outputs))
            .WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        return outputs.SelectMany(line => line).SelectMany(output => output.TokenIds.Append(-1));
    }
}
