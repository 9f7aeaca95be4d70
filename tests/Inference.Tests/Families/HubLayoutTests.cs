using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Tests.Loading;

namespace Seq2Seq.Inference.Tests.Families;

/// <summary>Every family's checkpoint as the hub may have it gives the tokens of the one that transformers 5.17 saved.</summary>
public sealed class HubLayoutTests
{
    /// <summary>Golden folders, and layouts that they can have.</summary>
    public static TheoryData<string, int> Rows
    {
        get
        {
            TheoryData<string, int> rows = [];
            foreach (string name in GoldenFamily.Names.Select(row => row.Data))
            {
                IReadOnlyList<SavedTensor> tensors = Tensors(GoldenFamily.Open(name));
                for (int layout = 0; layout < HubLayout.All.Count; layout++)
                {
                    if (HubLayout.All[layout].Write(tensors) is not null)
                    {
                        rows.Add(name, layout);
                    }
                }
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task A_checkpoint_as_the_hub_may_have_it_gives_the_same_tokens(string name, int layout)
    {
        GoldenFamily golden = GoldenFamily.Open(name);
        HubLayout hub = HubLayout.All[layout];
        using var folder = new ModelFolderFixture();
        foreach (string configuration in (string[])["config.json", "generation_config.json"])
        {
            folder.Write(
                configuration,
                await File.ReadAllBytesAsync(Path.Join(golden.Folder, configuration), Cancelled)
            );
        }

        foreach ((string file, byte[] bytes) in hub.Write(Tensors(golden))!)
        {
            folder.Write(file, bytes);
        }

        await using SequenceModel model = SequenceModel.Load(golden.Options with { Folder = folder.Folder }, Cancelled);

        model.Report.Strategy.Should().Be(hub.IsDirect ? LoadStrategy.Direct : LoadStrategy.ConfigFirst, hub.Name);
        GoldenCase greedy = golden.Cases.First(test => test.Beams == 1);
        IReadOnlyList<SequenceResult> results = await model.GenerateAsync(
            [.. golden.InputIds.Select(SequenceInput.FromTokenIds)],
            GenerationParametersJson.Read(greedy.Parameters),
            Cancelled
        );
        results.Select((result, line) => greedy.IsMetBy(result, line)).Should().AllBeEquivalentTo(true, hub.Name);
    }

    private static IReadOnlyList<SavedTensor> Tensors(GoldenFamily golden) =>
        SavedTensor.Read(Path.Join(golden.Folder, "model.safetensors"));

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;
}
