using Seq2Seq.Testing;

namespace Seq2Seq.Api.Tests;

/// <summary>An <see cref="ApiApplication"/> for one test class, ready for work.</summary>
public sealed class ApiFixture(PostgresServer server) : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private TestDatabase? _database;

    public TestDatabase Database => _database!;

    internal ApiApplication Application { get; private set; } = null!;

    public HttpClient Client => Application.Client;

    public async ValueTask InitializeAsync()
    {
        _database = new TestDatabase(server);
        await _database.InitializeAsync();
        Application = await ApiApplication.StartAsync(
            _database.ConnectionString,
            new Dictionary<string, string?>(StringComparer.Ordinal) { ["Jobs:ShardLines"] = "10" }
        );
        await Eventually.HoldsAsync(
            async () => (await Client.GetAsync("/readyz", TestContext.Current.CancellationToken)).IsSuccessStatusCode,
            Patience,
            "the service is ready"
        );
    }

    public async ValueTask DisposeAsync()
    {
        if (Application is not null)
        {
            await Application.DisposeAsync();
        }

        await _database!.DisposeAsync();
    }
}
