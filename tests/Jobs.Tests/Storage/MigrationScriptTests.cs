using System.Text.RegularExpressions;
using Seq2Seq.Testing;

namespace Seq2Seq.Jobs.Storage.Tests;

public sealed partial class MigrationScriptTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    [Fact]
    public void Scripts_are_numbered_without_gaps_and_say_what_they_are_for()
    {
        for (int i = 0; i < MigrationScript.All.Count; i++)
        {
            var script = MigrationScript.All[i];
            script.Name.Should().MatchRegex($"^{i + 1:0000}_[a-z_]+$");
            script.Sql.Should().StartWith("-- ", script.Name);
        }
    }

    [Fact]
    public void Scripts_name_every_constraint_and_only_go_forward()
    {
        foreach (var script in MigrationScript.All)
        {
            string sql = Comment().Replace(script.Sql, "");
            foreach (Match match in Constraint().Matches(sql))
            {
                match.Groups["name"].Success.Should().BeTrue($"'{match.Value.Trim()}' of {script.Name} needs a name");
            }

            sql.Should().NotMatchRegex("(?im)(^\\s*(BEGIN|COMMIT|ROLLBACK)\\s*;|\\bCONCURRENTLY\\b)", script.Name);
        }
    }

    [Fact]
    public async Task Constraints_and_indexes_are_named_after_their_table()
    {
        const string wrong = """
            SELECT coalesce(string_agg(name, ', '), '')
            FROM (
                SELECT conrelid::regclass::text AS parent, conname::text AS name FROM pg_constraint
                WHERE connamespace = 'public'::regnamespace AND conrelid <> 0
                UNION ALL
                SELECT tablename, indexname FROM pg_indexes WHERE schemaname = 'public'
            ) AS named
            WHERE name NOT LIKE parent || '\_%'
            """;

        (await database.ScalarAsync<string>(wrong)).Should().BeEmpty();
    }

    [Fact]
    public async Task Every_key_that_cascades_has_an_index_to_delete_by()
    {
        const string wrong = """
            SELECT coalesce(string_agg(conname, ', '), '')
            FROM pg_constraint
            WHERE contype = 'f' AND confdeltype = 'c' AND connamespace = 'public'::regnamespace
                AND NOT EXISTS (
                    SELECT FROM pg_index
                    WHERE indrelid = conrelid AND indpred IS NULL AND (indkey::smallint[])[0:cardinality(conkey) - 1] = conkey
                )
            """;

        (await database.ScalarAsync<string>(wrong)).Should().BeEmpty();
    }

    [GeneratedRegex("--.*", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Comment();

    [GeneratedRegex(
        @"(?<name>CONSTRAINT\s+\w+\s+)?(?<!\w)(?:PRIMARY\s+KEY|FOREIGN\s+KEY|UNIQUE(?!\s+INDEX)|CHECK|REFERENCES(?<name>))\b",
        RegexOptions.IgnoreCase,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex Constraint();
}
