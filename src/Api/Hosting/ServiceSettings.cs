namespace Seq2Seq.Api.Hosting;

/// <summary>What the caller of a service process decides, over its configuration.</summary>
internal sealed record ServiceSettings
{
    public required ServiceConfiguration Configuration { get; init; }

    public ServiceRole Role { get; init; } = ServiceRole.All;

    /// <summary>Addresses to listen on, separated by semicolons; null leaves it to the configuration's <c>Urls</c>.</summary>
    public string? Urls { get; init; }

    /// <summary>Data folder of the service's own PostgreSQL; null leaves it to the configuration.</summary>
    public string? DataFolder { get; init; }

    /// <summary>Says less: for a service that is only a part of another command.</summary>
    public bool Quiet { get; init; }

    /// <summary>Adds the configuration, and what the caller decided over it.</summary>
    public void AddTo(IConfigurationBuilder builder)
    {
        Configuration.AddTo(builder);
        var decided = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        if (DataFolder is not null)
        {
            decided["EmbeddedPostgres:DataFolder"] = Path.GetFullPath(DataFolder);
        }

        builder.AddInMemoryCollection(decided);
    }
}
