using Seq2Seq.Inference.Families;
using Seq2Seq.Inference.Tests.Families.Proof;
using Seq2Seq.Testing;

namespace Seq2Seq.Inference.Tests.Families;

/// <summary>A registered family that no test looks at fails here.</summary>
public sealed class FamilyCoverageTests
{
    public static TheoryData<string> ModelTypes => [.. FamilyRegistry.Default.ModelTypes];

    public static TheoryData<string> Names => GoldenFamily.Names;

    [Theory]
    [MemberData(nameof(ModelTypes))]
    public void Every_registered_model_type_has_golden_data_of_both_searches(string modelType)
    {
        GoldenFamily[] goldens =
        [
            .. GoldenFamily.Names.Select(row => GoldenFamily.Open(row.Data)).Where(one => one.ModelType == modelType),
        ];

        goldens.Should().NotBeEmpty("make-generation.py makes the data of a family");
        goldens.Should().Contain(golden => golden.Cases.Any(test => test.Beams == 1));
        goldens.Should().Contain(golden => golden.Cases.Any(test => test.Beams > 1));
    }

    [Fact]
    public void Every_golden_folder_is_of_a_registered_model_type() =>
        GoldenFamily
            .Names.Select(row => GoldenFamily.Open(row.Data).ModelType)
            .Distinct(StringComparer.Ordinal)
            .Should()
            .BeEquivalentTo(FamilyRegistry.Default.ModelTypes);

    [Fact]
    public void Every_registered_model_type_has_examples_on_the_hub() =>
        HubModels.ByModelType.Keys.Should().BeEquivalentTo(FamilyRegistry.Default.ModelTypes);

    /// <summary>The table is <c>Seq2Seq.Bench agreement</c>'s; docs/compute-types.md says how it is measured.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void The_agreement_of_compute_types_was_measured_for_every_golden_folder(string name)
    {
        string page = File.ReadAllText(Path.Join(Repository.Root, "docs", "compute-types.md"));

        page.Should().Contain($"| {name} | greedy |").And.Contain($"| {name} | beam 4 |");
    }
}
