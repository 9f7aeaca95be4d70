using Seq2Seq.Api.EmbeddedPostgres;

namespace Seq2Seq.Api.Tests.EmbeddedPostgres;

public sealed class PostgresSettingsTests
{
    [Fact]
    public void A_folder_with_quotes_and_commas_stays_one_folder() =>
        PostgresSettings
            .Write("/tmp/it's, \"odd\"", new Dictionary<string, string>(StringComparer.Ordinal))
            .Should()
            .Contain("unix_socket_directories = '\"/tmp/it''s, \"\"odd\"\"\"'\n");

    [Fact]
    public void The_operators_value_stands_once() =>
        PostgresSettings
            .Write("/tmp", new Dictionary<string, string>(StringComparer.Ordinal) { ["work_mem"] = "1GB" })
            .Split('\n')
            .Where(line => line.StartsWith("work_mem", StringComparison.Ordinal))
            .Should()
            .Equal("work_mem = '1GB'");

    [Fact]
    public void A_name_that_could_smuggle_in_a_line_is_refused() =>
        FluentActions
            .Invoking(() =>
                PostgresSettings.Write(
                    "/tmp",
                    new Dictionary<string, string>(StringComparer.Ordinal) { ["a = 1\nb"] = "1" }
                )
            )
            .Should()
            .Throw<EmbeddedPostgresException>();
}
