using Seq2Seq.Testing;

namespace Seq2Seq.Inference.Tests.Families.Proof;

/// <summary>docs/models.md says what the tests see, no more and no less.</summary>
public sealed class ModelsPageTests
{
    private const string RenewVariable = "SEQ2SEQ_RENEW_PAGES";

    [Fact]
    public async Task The_page_of_models_says_what_every_family_was_seen_to_do()
    {
        string path = Path.Join(Repository.Root, "docs", "models.md");
        List<(GoldenFamily, FamilyProof)> families = [];
        foreach (string name in GoldenFamily.Names.Select(row => row.Data))
        {
            GoldenFamily golden = GoldenFamily.Open(name);
            families.Add((golden, await FamilyProof.SeeAsync(golden, TestContext.Current.CancellationToken)));
        }

        string page = new ModelsPage(families, TokenizerProof.SeeAll()).Render();
        if (Environment.GetEnvironmentVariable(RenewVariable) == "1")
        {
            await File.WriteAllTextAsync(path, page, TestContext.Current.CancellationToken);
        }

        string committed = await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken);
        committed
            .Should()
            .Be(
                page,
                $"docs/models.md is written by this test: run it with {RenewVariable}=1 in the environment, look at the difference and commit it"
            );
    }
}
