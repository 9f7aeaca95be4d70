using System.Collections.Concurrent;
using System.Globalization;
using Npgsql;
using Seq2Seq.Jobs.Storage;

namespace Seq2Seq.Jobs.Keys;

/// <summary>Issues, finds, lists and revokes API keys. A revoked key works nowhere after ten seconds.</summary>
public sealed class ApiKeyDirectory
{
    private const int MaxNameLength = 100;

    // Every request asks: this long an answer is good.
    private static readonly TimeSpan _remembered = TimeSpan.FromSeconds(10);

    private readonly NpgsqlDataSource _dataSource;
    private readonly TimeProvider _time;

    // Keys that exist, by the digest of their secret, and by id; so there are never more than twice as many as keys.
    private readonly ConcurrentDictionary<string, Remembered> _found = new(StringComparer.Ordinal);

    public ApiKeyDirectory(NpgsqlDataSource dataSource, TimeProvider time)
    {
        _dataSource = dataSource;
        _time = time;
    }

    /// <summary>Issues a key.</summary>
    /// <exception cref="ApiKeyException">The request is wrong, or a key in use has that name.</exception>
    public async Task<IssuedKey> AddAsync(ApiKeyRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        Check(request, _time.GetUtcNow());
        string secret = ApiKeySecret.Create();
        await using var command = _dataSource.CreateCommand(ApiKeyQueries.Add);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = Guid.CreateVersion7(_time.GetUtcNow()) });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = request.Name });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = ApiKeySecret.Prefix(secret) });
        command.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = ApiKeySecret.Hash(secret)! });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. request.Scopes] });
        command.Parameters.Add(
            new NpgsqlParameter<DateTimeOffset?> { TypedValue = request.ExpiresAt?.ToUniversalTime() }
        );
        command.Parameters.Add(new NpgsqlParameter<int?> { TypedValue = request.Limits.UnfinishedJobs });
        command.Parameters.Add(new NpgsqlParameter<int?> { TypedValue = request.Limits.SubmitsPerMinute });
        command.Parameters.Add(new NpgsqlParameter<long?> { TypedValue = request.Limits.LinesPerDay });
        command.Parameters.Add(new NpgsqlParameter<long?> { TypedValue = request.Limits.BytesPerDay });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken)
            ? new IssuedKey(Read(reader), secret)
            : throw new ApiKeyException(
                "key_name_taken",
                "name",
                $"A key in use has the name '{request.Name}' already."
            );
    }

    /// <summary>Newest first, revoked and expired ones too.</summary>
    public async Task<IReadOnlyList<ApiKey>> ListAsync(CancellationToken cancellationToken)
    {
        await using var command = _dataSource.CreateCommand(ApiKeyQueries.List);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        List<ApiKey> keys = [];
        while (await reader.ReadAsync(cancellationToken))
        {
            keys.Add(Read(reader));
        }

        return keys;
    }

    /// <summary>Revokes a key. Its jobs go on. Revoking twice equals once.</summary>
    /// <returns>The key as it is afterwards; null when there is none of that id.</returns>
    public async Task<ApiKey?> RevokeAsync(Guid id, CancellationToken cancellationToken)
    {
        await using var command = _dataSource.CreateCommand(ApiKeyQueries.Revoke);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? Read(reader) : null;
    }

    /// <summary>
    /// Whether a key was ever issued. From then on callers need one, also when the last one is revoked or expires: that must not
    /// open the service.
    /// </summary>
    public async Task<bool> AnyAsync(CancellationToken cancellationToken)
    {
        await using var command = _dataSource.CreateCommand(ApiKeyQueries.Any);
        return (bool)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>The key of a secret, if it works.</summary>
    public async Task<ApiKey?> FindAsync(string secret, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(secret);
        if (ApiKeySecret.Hash(secret) is not { } hash)
        {
            return null;
        }

        return await FindAsync(
            Convert.ToHexStringLower(hash),
            ApiKeyQueries.Find,
            new NpgsqlParameter<byte[]> { TypedValue = hash },
            cancellationToken
        );
    }

    /// <summary>The key of an id, if it works: for those who have shown its secret before.</summary>
    public Task<ApiKey?> FindAsync(Guid id, CancellationToken cancellationToken) =>
        FindAsync(
            id.ToString(),
            ApiKeyQueries.FindById,
            new NpgsqlParameter<Guid> { TypedValue = id },
            cancellationToken
        );

    private async Task<ApiKey?> FindAsync(
        string name,
        string sql,
        NpgsqlParameter parameter,
        CancellationToken cancellationToken
    )
    {
        var now = _time.GetUtcNow();
        if (_found.TryGetValue(name, out var remembered) && remembered.Until > now)
        {
            return remembered.Key.ExpiresAt > now || remembered.Key.ExpiresAt is null ? remembered.Key : null;
        }

        await using var command = _dataSource.CreateCommand(sql);
        command.Parameters.Add(parameter);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
        {
            _found.TryRemove(name, out _);
            return null;
        }

        var key = Read(reader);
        _found[name] = new Remembered(key, now + _remembered);
        return key;
    }

    private static void Check(ApiKeyRequest request, DateTimeOffset now)
    {
        if (request.Name.Length is 0 or > MaxNameLength || request.Name.Any(char.IsControl))
        {
            throw Invalid(
                "name",
                $"The name has {request.Name.Length} characters; expected 1 to {MaxNameLength}, none of them control characters."
            );
        }

        if (request.Scopes.Count == 0 || request.Scopes.Except(KeyScopes.All, StringComparer.Ordinal).Any())
        {
            throw Invalid(
                "scopes",
                $"The scopes are '{string.Join(", ", request.Scopes)}'; expected some of: {string.Join(", ", KeyScopes.All)}."
            );
        }

        var limits = request.Limits;
        if (
            limits.UnfinishedJobs <= 0
            || limits.SubmitsPerMinute <= 0
            || limits.LinesPerDay <= 0
            || limits.BytesPerDay <= 0
        )
        {
            throw Invalid("limits", "A limit is not positive; leave it away for none.");
        }

        if (request.ExpiresAt <= now)
        {
            throw Invalid(
                "expires",
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"expires is '{request.ExpiresAt:yyyy-MM-ddTHH:mm:ssK}', which is past; expected a time after now ({now.UtcDateTime:yyyy-MM-ddTHH:mm:ssK})."
                )
            );
        }
    }

    private static ApiKeyException Invalid(string field, string message) => new("field_invalid", field, message);

    private static ApiKey Read(NpgsqlDataReader row) =>
        new()
        {
            Id = row.GetGuid(0),
            Name = row.GetString(1),
            Prefix = row.GetString(2),
            Scopes = row.GetFieldValue<string[]>(3),
            CreatedAt = row.GetFieldValue<DateTimeOffset>(4),
            ExpiresAt = JobRow.ReadTime(row, 5),
            RevokedAt = JobRow.ReadTime(row, 6),
            LastUsedAt = JobRow.ReadTime(row, 7),
            Limits = new KeyLimits
            {
                UnfinishedJobs = row.IsDBNull(8) ? null : row.GetInt32(8),
                SubmitsPerMinute = row.IsDBNull(9) ? null : row.GetInt32(9),
                LinesPerDay = row.IsDBNull(10) ? null : row.GetInt64(10),
                BytesPerDay = row.IsDBNull(11) ? null : row.GetInt64(11),
            },
        };

    private sealed record Remembered(ApiKey Key, DateTimeOffset Until);
}

/// <summary>What a new key is to be.</summary>
public sealed record ApiKeyRequest
{
    /// <summary>A name for people: 1 to 100 characters, not that of another key in use.</summary>
    public required string Name { get; init; }

    public IReadOnlyList<string> Scopes { get; init; } = [KeyScopes.Read, KeyScopes.Write];

    public KeyLimits Limits { get; init; } = new();

    /// <summary>When it stops working, which is yet to come; null means never.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }
}

/// <param name="Key">The key as stored.</param>
/// <param name="Secret">What its holder sends. Shown this once; it can't be found out again.</param>
public sealed record IssuedKey(ApiKey Key, string Secret);

/// <summary>A key can't be issued as asked: the operator must change the request.</summary>
/// <param name="code"><c>field_invalid</c> or <c>key_name_taken</c>.</param>
/// <param name="field">The field at fault.</param>
public sealed class ApiKeyException(string code, string field, string message) : Exception(message)
{
    public string Code { get; } = code;

    public string Field { get; } = field;
}
