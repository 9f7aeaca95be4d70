using Microsoft.Extensions.Time.Testing;
using Seq2Seq.Jobs.Tests;

namespace Seq2Seq.Jobs.Keys.Tests;

public sealed class ApiKeyDirectoryTests(JobStore store) : IClassFixture<JobStore>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_key_is_found_by_its_secret_and_only_by_it()
    {
        var request = new ApiKeyRequest
        {
            Name = "reader",
            Scopes = [KeyScopes.Read],
            Limits = new KeyLimits
            {
                UnfinishedJobs = 1,
                SubmitsPerMinute = 2,
                LinesPerDay = 3,
                BytesPerDay = 4,
            },
            ExpiresAt = new DateTimeOffset(2100, 1, 1, 0, 0, 0, TimeSpan.FromHours(2)),
        };

        var issued = await store.Keys.AddAsync(request, Cancellation);

        issued.Secret.Should().MatchRegex("^s2s_[A-Za-z0-9_-]{43}$").And.StartWith(issued.Key.Prefix);
        issued.Key.Should().BeEquivalentTo(request);
        issued.Key.Allows(KeyScopes.Read).Should().BeTrue();
        issued.Key.Allows(KeyScopes.Write).Should().BeFalse();
        (await store.Keys.FindAsync(issued.Secret, Cancellation))!.Id.Should().Be(issued.Key.Id);
        foreach (
            string wrong in (string[])["", "s2s_", $"{issued.Secret}x", issued.Secret[..^1], new string('x', 100_000)]
        )
        {
            (await store.Keys.FindAsync(wrong, Cancellation)).Should().BeNull();
        }
    }

    [Fact]
    public async Task The_secret_stands_nowhere_in_the_database()
    {
        var issued = await store.Keys.AddAsync(new ApiKeyRequest { Name = "secret" }, Cancellation);

        string row = await store.Database.ScalarAsync<string>(
            "SELECT api_key::text || encode(hash, 'escape') FROM api_key WHERE id = $1",
            issued.Key.Id
        );

        row.Should().NotContain(issued.Secret[issued.Key.Prefix.Length..]);
    }

    [Fact]
    public async Task A_revoked_key_stops_working_when_it_is_forgotten_and_stays_in_the_list()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var keys = new ApiKeyDirectory(store.Database.DataSource, time);
        var issued = await keys.AddAsync(new ApiKeyRequest { Name = "revoked" }, Cancellation);
        (await keys.FindAsync(issued.Secret, Cancellation)).Should().NotBeNull();

        var revoked = await keys.RevokeAsync(issued.Key.Id, Cancellation);
        time.Advance(TimeSpan.FromSeconds(11));

        (await keys.FindAsync(issued.Secret, Cancellation)).Should().BeNull();
        (await keys.RevokeAsync(issued.Key.Id, Cancellation)).Should().BeEquivalentTo(revoked);
        (await keys.RevokeAsync(Guid.NewGuid(), Cancellation)).Should().BeNull();
        (await keys.ListAsync(Cancellation)).Should().ContainEquivalentOf(revoked);
    }

    [Fact]
    public async Task An_expired_key_does_not_work_even_when_it_is_remembered()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var keys = new ApiKeyDirectory(store.Database.DataSource, time);
        var request = new ApiKeyRequest { Name = "short", ExpiresAt = time.GetUtcNow().AddSeconds(5) };
        var issued = await keys.AddAsync(request, Cancellation);
        (await keys.FindAsync(issued.Secret, Cancellation)).Should().NotBeNull();

        time.Advance(TimeSpan.FromSeconds(6));

        (await keys.FindAsync(issued.Secret, Cancellation)).Should().BeNull();
    }

    [Fact]
    public async Task Two_keys_in_use_never_have_one_name()
    {
        var first = await store.Keys.AddAsync(new ApiKeyRequest { Name = "twice" }, Cancellation);

        var again = () => store.Keys.AddAsync(new ApiKeyRequest { Name = "TWICE" }, Cancellation);

        (await again.Should().ThrowAsync<ApiKeyException>()).Which.Code.Should().Be("key_name_taken");
        await store.Keys.RevokeAsync(first.Key.Id, Cancellation);
        (await again.Should().NotThrowAsync()).Which.Key.Name.Should().Be("TWICE");
    }

    [Fact]
    public async Task Its_last_use_is_noted()
    {
        var issued = await store.Keys.AddAsync(new ApiKeyRequest { Name = "used" }, Cancellation);
        issued.Key.LastUsedAt.Should().BeNull();

        await store.Keys.FindAsync(issued.Secret, Cancellation);

        (await store.Keys.ListAsync(Cancellation))
            .Single(key => key.Id == issued.Key.Id)
            .LastUsedAt.Should()
            .BeCloseTo(DateTimeOffset.UtcNow, TimeSpan.FromMinutes(1));
        (await store.Keys.AnyAsync(Cancellation)).Should().BeTrue();
    }

    public static TheoryData<ApiKeyRequest, string> WrongRequests =>
        new()
        {
            {
                new ApiKeyRequest { Name = "" },
                "name"
            },
            {
                new ApiKeyRequest { Name = new string('n', 101) },
                "name"
            },
            {
                new ApiKeyRequest { Name = "a\nb" },
                "name"
            },
            {
                new ApiKeyRequest { Name = "n", Scopes = [] },
                "scopes"
            },
            {
                new ApiKeyRequest { Name = "n", Scopes = ["read", "fly"] },
                "scopes"
            },
            {
                new ApiKeyRequest
                {
                    Name = "n",
                    Limits = new KeyLimits { LinesPerDay = 0 },
                },
                "limits"
            },
            {
                new ApiKeyRequest { Name = "n", ExpiresAt = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero) },
                "expires"
            },
        };

    [Theory]
    [MemberData(nameof(WrongRequests))]
    public async Task A_wrong_request_is_refused_by_field(ApiKeyRequest request, string field)
    {
        var add = () => store.Keys.AddAsync(request, Cancellation);

        (await add.Should().ThrowAsync<ApiKeyException>()).Which.Field.Should().Be(field);
    }
}
