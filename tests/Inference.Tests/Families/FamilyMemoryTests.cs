using Seq2Seq.Inference.Generation;
using TorchSharp;

namespace Seq2Seq.Inference.Tests.Families;

/// <summary>All families in one process: nothing of a model stays behind when it is unloaded.</summary>
[Collection(TensorCount.Collection)]
public sealed class FamilyMemoryTests
{
    private const double MostGrowth = 1.1;

    /// <summary>A leak grows in every round; what the allocators keep does not.</summary>
    private const int Rounds = 4;

    public static TheoryData<string> Names => GoldenFamily.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public async Task No_way_of_decoding_leaves_a_tensor_behind(string name)
    {
        // The first time also fills tables that the process keeps.
        await DecodeInEveryWayAsync(name);
        long tensors = torch.Tensor.TotalCount;

        await DecodeInEveryWayAsync(name);

        torch.Tensor.TotalCount.Should().Be(tensors);
    }

    [Fact]
    public async Task Memory_after_unloading_every_family_is_that_before_loading_them()
    {
        // The first round also compiles code and fills the allocators.
        await LoadAnswerUnloadAsync();
        long tensors = torch.Tensor.TotalCount;
        double least = double.MaxValue;
        for (int round = 0; round < Rounds && least > MostGrowth; round++)
        {
            long before = ResidentBytes();
            await LoadAnswerUnloadAsync();
            least = Math.Min(least, (double)ResidentBytes() / before);
        }

        torch.Tensor.TotalCount.Should().Be(tensors);
        least.Should().BeLessThanOrEqualTo(MostGrowth);
    }

    private static async Task DecodeInEveryWayAsync(string name)
    {
        GoldenFamily golden = GoldenFamily.Open(name);
        await using SequenceModel model = SequenceModel.Load(golden.Options, TestContext.Current.CancellationToken);
        SequenceInput[] lines = [.. golden.InputIds.Select(SequenceInput.FromTokenIds)];
        GenerationParameters[] ways =
        [
            new() { NumBeams = 1, MaxNewTokens = 6 },
            new() { NumBeams = 3, MaxNewTokens = 6 },
            new()
            {
                NumBeams = 1,
                DoSample = true,
                Seed = 1,
                MaxNewTokens = 6,
            },
            new()
            {
                NumBeams = 1,
                Drafting = true,
                TokenLogprobs = true,
                MaxNewTokens = 6,
            },
        ];
        foreach (GenerationParameters way in ways)
        {
            IReadOnlyList<SequenceResult> results = await model.GenerateAsync(
                lines,
                way,
                TestContext.Current.CancellationToken
            );
            results.Should().OnlyContain(result => result.Error == null);
        }

        IReadOnlyList<SequenceResult> scored = await model.GenerateAsync(
            [.. golden.InputIds.Select(line => new SequenceInput { TokenIds = line, TargetTokenIds = line })],
            new GenerationParameters(),
            TestContext.Current.CancellationToken
        );
        scored.Should().OnlyContain(result => result.Error == null);
    }

    private static async Task LoadAnswerUnloadAsync()
    {
        List<SequenceModel> models = [];
        try
        {
            foreach (string name in GoldenFamily.Names.Select(row => row.Data))
            {
                GoldenFamily golden = GoldenFamily.Open(name);
                SequenceModel model = SequenceModel.Load(golden.Options, TestContext.Current.CancellationToken);
                models.Add(model);
                IReadOnlyList<SequenceResult> results = await model.GenerateAsync(
                    [SequenceInput.FromTokenIds(golden.InputIds[0])],
                    new GenerationParameters { MaxNewTokens = 4 },
                    TestContext.Current.CancellationToken
                );
                results[0].Outputs.Should().NotBeEmpty(name);
            }
        }
        finally
        {
            foreach (SequenceModel model in models)
            {
                await model.DisposeAsync();
            }
        }
    }

    private static long ResidentBytes()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        return Environment.WorkingSet;
    }
}
