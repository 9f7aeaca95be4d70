using System.Text.Json.Nodes;
using Seq2Seq.Inference.Loading;

namespace Seq2Seq.Inference.Tests.Families;

public sealed class FamilyRefusalTests
{
    public static TheoryData<int> Rows => [.. Enumerable.Range(0, FamilyRefusal.All.Count)];

    [Theory]
    [MemberData(nameof(Rows))]
    public void What_a_family_does_not_do_is_refused_by_its_key(int row)
    {
        FamilyRefusal refusal = FamilyRefusal.All[row];
        GoldenFamily golden = GoldenFamily.Open(refusal.Golden);
        golden.ModelType.Should().Be(refusal.ModelType);
        JsonNode configuration = JsonNode.Parse(golden.Configuration.GetRawText())!;
        string[] path = refusal.Key.Split('.');
        JsonNode parent = configuration;
        foreach (string key in path[..^1])
        {
            parent = parent[key] ??= new JsonObject();
        }

        parent[path[^1]] = refusal.Value.DeepClone();
        Action load = () => golden.LoadAs(configuration).Dispose();

        ModelLoadException thrown = load.Should().Throw<ModelLoadException>().Which;

        thrown.Code.Should().Be(LoadCodes.ConfigInvalid);
        thrown.Report.Message.Should().Contain($"'{path[^1]}'").And.Contain(refusal.Value.ToJsonString());
    }
}
