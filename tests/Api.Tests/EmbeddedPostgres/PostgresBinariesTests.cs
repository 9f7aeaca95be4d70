using Seq2Seq.Api.EmbeddedPostgres;

namespace Seq2Seq.Api.Tests.EmbeddedPostgres;

public sealed class PostgresBinariesTests
{
    [Fact]
    public void A_configured_folder_without_the_programs_is_refused() =>
        FluentActions
            .Invoking(() => PostgresBinaries.Find("/etc", major: null))
            .Should()
            .Throw<EmbeddedPostgresException>()
            .WithMessage("'/etc' does not hold initdb, pg_ctl and postgres*");

    [Fact]
    public void Data_of_a_version_that_is_not_installed_says_what_to_install() =>
        FluentActions
            .Invoking(() => PostgresBinaries.Find("", major: "9"))
            .Should()
            .Throw<EmbeddedPostgresException>()
            .WithMessage("PostgreSQL 9, which made the data folder, is not installed. *apt-get install postgresql-9*");

    [Fact]
    public void An_installed_version_is_found() =>
        File.Exists(PostgresBinaries.Find("", major: null).Initdb).Should().BeTrue();
}
