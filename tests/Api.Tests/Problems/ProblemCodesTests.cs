using System.Net;
using System.Reflection;
using System.Text.Json;
using Seq2Seq.Api.Problems;
using Seq2Seq.Testing;

namespace Seq2Seq.Api.Tests.Problems;

public sealed class ProblemCodesTests(ApiFixture api) : IClassFixture<ApiFixture>
{
    [Fact]
    public void Every_code_is_in_the_catalogue_and_named_as_its_field()
    {
        foreach (
            FieldInfo field in typeof(ProblemCodes)
                .GetFields(BindingFlags.Static | BindingFlags.Public)
                .Where(field => field.FieldType == typeof(ProblemCode))
        )
        {
            var code = (ProblemCode)field.GetValue(null)!;
            ProblemCodes.All.Should().ContainValue(code);
            code.Code.Should().MatchRegex("^[a-z]+(_[a-z]+)*$");
            code.Status.Should().BeInRange(400, 504);
        }
    }

    [Fact]
    public void Every_code_that_a_submit_is_refused_with_has_its_own_status()
    {
        foreach (FieldInfo field in typeof(Seq2Seq.Jobs.Submission.SubmissionCodes).GetFields())
        {
            ProblemCodes.All.Should().ContainKey((string)field.GetValue(null)!);
        }
    }

    [Fact]
    public async Task The_type_of_a_problem_leads_to_its_meaning()
    {
        JsonElement all = await api.Client.GetJsonAsync("/problems");
        all.GetArrayLength().Should().Be(ProblemCodes.All.Count);
        foreach (ProblemCode code in ProblemCodes.All.Values)
        {
            JsonElement meaning = await api.Client.GetJsonAsync(code.Type);
            meaning.GetProperty("status").GetInt32().Should().Be(code.Status);
            meaning.GetProperty("meaning").GetString().Should().Be(code.Meaning);
        }
    }

    [Fact]
    public async Task The_documentation_lists_every_code_with_its_status()
    {
        string page = await File.ReadAllTextAsync(
            Path.Combine(Repository.Root, "docs", "api.md"),
            TestContext.Current.CancellationToken
        );
        foreach (ProblemCode code in ProblemCodes.All.Values)
        {
            page.Should().Contain($"| {code.Status} | `{code.Code}` | {code.Title} |");
        }
    }

    [Fact]
    public async Task A_mistake_of_the_service_shows_nothing_of_its_insides()
    {
        await api.Database.ExecuteAsync("ALTER TABLE job RENAME TO job_away");
        try
        {
            HttpResponseMessage response = await api.Client.GetAsync("/jobs", TestContext.Current.CancellationToken);

            JsonElement problem = await response.ShouldBeProblemAsync(500, "internal_error");
            problem.GetRawText().Should().NotContain("job_away").And.NotContain("Npgsql").And.NotContain(" at ");
            api.Application.Log.All.Should()
                .Contain(line =>
                    line.Contains("/jobs", StringComparison.Ordinal) && line.Contains("42P01", StringComparison.Ordinal)
                );
        }
        finally
        {
            await api.Database.ExecuteAsync("ALTER TABLE job_away RENAME TO job");
        }

        (await api.Client.GetAsync("/jobs", TestContext.Current.CancellationToken))
            .StatusCode.Should()
            .Be(HttpStatusCode.OK);
    }
}
