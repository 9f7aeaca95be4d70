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
