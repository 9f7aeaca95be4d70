using System.Text.Json;
using Seq2Seq.Api.CommandLine;
using Seq2Seq.Testing;

namespace Seq2Seq.Api.Tests.CommandLine;

/// <summary><c>seq2seq keys</c> as an operator runs it, on a database of the test's.</summary>
public sealed class KeysCommandTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    [Fact]
    public async Task A_key_is_issued_listed_and_revoked_and_its_secret_shown_once()
    {
        Executable.Outcome added = await RunAsync(
            "add",
            "ci",
            "--scope",
            "read",
            "all",
            "--max-lines-per-day",
            "1000",
            "--expires",
            "2199-01-01T00:00:00Z"
        );
        added.ExitCode.Should().Be(ExitCode.Success, added.Error);
        string secret = added.Output.Trim();
        secret.Should().MatchRegex("^s2s_[A-Za-z0-9_-]{43}$");

        Executable.Outcome listed = await RunAsync("list", "--json");
        listed.Output.Should().NotContain(secret);
        JsonElement key = listed
            .Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonDocument.Parse(line).RootElement)
            .Single(key => key.GetProperty("name").GetString() == "ci");
        key.GetProperty("prefix").GetString().Should().Be(secret[..10]);
        key.GetProperty("scopes").EnumerateArray().Select(scope => scope.GetString()).Should().Equal("read", "all");
        key.GetProperty("limits").GetProperty("lines_per_day").GetInt64().Should().Be(1000);
        (await database.ScalarAsync<long>("SELECT count(*) FROM api_key WHERE encode(hash, 'hex') LIKE '%s2s%'"))
            .Should()
            .Be(0);

        (await RunAsync("add", "CI")).ExitCode.Should().Be(ExitCode.Failure, "the name is taken");
        (await RunAsync("revoke", "ci")).Output.Should().Contain("  revoked ");
        Executable.Outcome again = await RunAsync("revoke", "ci");
        again.ExitCode.Should().Be(ExitCode.Failure);
        again.Error.Should().Be("seq2seq: There is no key 'ci' in use; seq2seq keys list shows all.\n");
    }

    [Fact]
    public async Task The_list_tells_a_keys_limits_and_whether_it_still_works()
    {
        await RunAsync("add", "old", "--expires", "2100-01-01T00:00:00Z");
        await database.ExecuteAsync("UPDATE api_key SET expires_at = '2026-01-01T00:00:00Z' WHERE name = 'old'");
        await RunAsync("add", "new", "--max-unfinished-jobs", "10", "--max-lines-per-day", "1000000");

        string[] listed = (await RunAsync("list")).Output.Split('\n');

        listed
            .Should()
            .ContainSingle(line =>
                line.EndsWith("  old  read,write  no limits  expired 2026-01-01 00:00Z", StringComparison.Ordinal)
            );
        listed
            .Should()
            .ContainSingle(line =>
                line.EndsWith(
                    "  new  read,write  10 unfinished jobs, 1,000,000 lines a day  never used",
                    StringComparison.Ordinal
                )
            );
    }

    [Theory]
    [InlineData("x --scope fly", "fly")]
    [InlineData("x --max-lines-per-day 0", "A limit is not positive; leave it away for none.")]
    [InlineData("x --max-lines-per-day many", "many")]
    [InlineData(
        "x --expires 2026-01-01T00:00:00Z",
        "expires is '2026-01-01T00:00:00+00:00', which is past; expected a time after now ("
    )]
    public async Task A_wrong_command_line_says_what_is_wrong(string arguments, string message)
    {
        Executable.Outcome run = await RunAsync(["add", .. arguments.Split(' ')]);

        run.ExitCode.Should().Be(ExitCode.Usage);
        run.Error.Should().Contain(message);
    }

    private Task<Executable.Outcome> RunAsync(params string[] arguments) =>
        Executable.RunAsync(
            "",
            new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["ConnectionStrings__Jobs"] = database.ConnectionString,
            },
            ["keys", .. arguments]
        );
}
