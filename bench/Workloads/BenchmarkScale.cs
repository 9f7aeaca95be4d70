namespace Seq2Seq.Bench.Workloads;

/// <summary>How large each part is. The defaults are those of the published table.</summary>
internal sealed record BenchmarkScale
{
    /// <summary>Seconds of test runs: shows that every part works, measures nothing.</summary>
    public static BenchmarkScale Tiny { get; } =
        new()
        {
            Words = 24,
            TransformersWords = 8,
            ShapeLines = 8,
            NewTokens = 4,
            LinesOneByOne = 2,
            NormalisationLines = 8,
            CopiedLines = 3,
            MemoryLines = 4,
            ServiceLines = 60,
            QualityWords = 20,
            SearchShare = 2,
            ProfiledComputeTypes = ["float32"],
            StoreLines = [100],
            SmallJobs = 10,
            SchedulingJobs = 5,
            SchedulingShards = 10,
            IdleSeconds = 0.2,
            JobLines = [10, 2_000],
            LongLines = 100,
            SmallHttpJobs = 12,
            NeighbourJobs = 1,
            NeighbourLines = 2_000,
            MachineLines = 50_000,
            MachineSeconds = 1,
            MachineLeaseSeconds = 3,
            TablesMinutes = 0.02,
        };

    public int Words { get; init; } = 20_000;

    /// <summary>Of those words, how many transformers gets; its rate is compared.</summary>
    public int TransformersWords { get; init; } = 2_000;

    /// <summary>Lines of the t5-small and opus-mt shapes.</summary>
    public int ShapeLines { get; init; } = 256;

    /// <summary>New tokens that are forced on each of them.</summary>
    public int NewTokens { get; init; } = 64;

    public int LinesOneByOne { get; init; } = 12;
    public int NormalisationLines { get; init; } = 4_000;

    public int CopiedLines { get; init; } = 256;
    public int MemoryLines { get; init; } = 32;
    public int ServiceLines { get; init; } = 100_000;
    public int QualityWords { get; init; } = 4_000;

    /// <summary>The search for settings runs one part in so many of the words, or of the new tokens.</summary>
    public int SearchShare { get; init; } = 8;

    public IReadOnlyList<string> ProfiledComputeTypes { get; init; } = ["float32", "int8"];
    public IReadOnlyList<int> StoreLines { get; init; } = [1_000, 1_000, 10_000, 100_000];
    public int SmallJobs { get; init; } = 2_000;
    public int SchedulingJobs { get; init; } = 200;
    public int SchedulingShards { get; init; } = 1_000;
    public double IdleSeconds { get; init; } = 15;

    /// <summary>Lines of the jobs whose cost for each line is compared.</summary>
    public IReadOnlyList<int> JobLines { get; init; } = [1_000, 10_000, 100_000, 1_000_000];

    /// <summary>Lines of 536 bytes: with a million, as many bytes as a submit may have.</summary>
    public int LongLines { get; init; } = 1_000_000;

    /// <summary>Jobs of ten lines over HTTP.</summary>
    public int SmallHttpJobs { get; init; } = 10_000;

    /// <summary>Small jobs of each key beside a large one.</summary>
    public int NeighbourJobs { get; init; } = 20;

    /// <summary>Lines of the large one.</summary>
    public int NeighbourLines { get; init; } = 1_000_000;

    /// <summary>Lines of the job that machines share: more than they do while they are watched.</summary>
    public int MachineLines { get; init; } = 1_000_000;

    /// <summary>How long they are watched with as many as there are.</summary>
    public double MachineSeconds { get; init; } = 30;

    /// <summary>Their <c>Jobs:Lease</c>; that of the service by default.</summary>
    public int MachineLeaseSeconds { get; init; } = 30;

    /// <summary>How long small jobs come and go while the tables are watched.</summary>
    public double TablesMinutes { get; init; } = 60;
}
