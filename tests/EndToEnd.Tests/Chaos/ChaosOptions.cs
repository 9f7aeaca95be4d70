using System.Globalization;

namespace Seq2Seq.EndToEnd.Tests.Chaos;

/// <summary>
/// How long and how hard to disturb the service. The usual values are the short form, every fault once; <c>tests/chaos</c> sets
/// the others by environment variables.
/// </summary>
internal sealed record ChaosOptions
{
    /// <summary>Decides the order of faults, their victims and their moments.</summary>
    public required int Seed { get; init; }

    /// <summary>Faults of worker processes; zero: each kind once.</summary>
    public required int Kills { get; init; }

    /// <summary>Faults of the database; zero: each kind once.</summary>
    public required int DatabaseFaults { get; init; }

    /// <summary>Lines of each job.</summary>
    public required int Lines { get; init; }

    /// <summary><c>Jobs:Lease</c>; the product's own when it is null.</summary>
    public required TimeSpan? Lease { get; init; }

    /// <summary>No more faults after this time, however many were asked for.</summary>
    public required TimeSpan Limit { get; init; }

    public static ChaosOptions Read()
    {
        int lease = Number("LEASE", 3);
        return new ChaosOptions
        {
            Seed = Number("SEED", 1),
            Kills = Number("KILLS", 0),
            DatabaseFaults = Number("DATABASE_FAULTS", 0),
            Lines = Number("LINES", 2000),
            Lease = lease == 0 ? null : TimeSpan.FromSeconds(lease),
            Limit = TimeSpan.FromMinutes(Number("MINUTES", 15)),
        };
    }

    private static int Number(string name, int otherwise) =>
        Environment.GetEnvironmentVariable("SEQ2SEQ_CHAOS_" + name) is { Length: > 0 } text
            ? int.Parse(text, CultureInfo.InvariantCulture)
            : otherwise;
}
