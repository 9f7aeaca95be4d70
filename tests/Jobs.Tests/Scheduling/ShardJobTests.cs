using Hangfire;
using Hangfire.Common;
using Hangfire.Storage;

namespace Seq2Seq.Jobs.Scheduling.Tests;

/// <summary>The golden strings here stand in databases: a change of them breaks every job that is queued during an upgrade.</summary>
public sealed class ShardJobTests
{
    private static readonly Guid _job = Guid.Parse("0197b2a4-0000-7000-8000-00000000002a");

    private const string Stored = """
        {"Type":"Seq2Seq.Jobs.Scheduling.ShardJob, Seq2Seq.Jobs","Method":"RunAsync","ParameterTypes":"[\"System.Guid, mscorlib\",\"System.Int64\",\"System.Threading.CancellationToken, mscorlib\"]","Arguments":"[\"\\\"0197b2a4-0000-7000-8000-00000000002a\\\"\",\"42\",null]","Queue":"5-english-tts"}
        """;

    public ShardJobTests() => HangfireStorage.Configure(GlobalConfiguration.Configuration);

    [Fact]
    public void The_stored_invocation_is_the_one_that_every_version_reads()
    {
        var invocation = InvocationData.SerializeJob(ShardJob.For(_job, 42, "5-english-tts"));

        SerializationHelper.Serialize(invocation).Should().Be(Stored);
    }

    [Fact]
    public void What_an_earlier_version_stored_is_read()
    {
        var job = SerializationHelper.Deserialize<InvocationData>(Stored).DeserializeJob();

        job.Type.Should().Be<ShardJob>();
        job.Method.Name.Should().Be(nameof(ShardJob.RunAsync));
        job.Args.Should().StartWith([_job, 42L]);
        job.Queue.Should().Be("5-english-tts");
    }

    [Fact]
    public void The_dashboard_names_the_model_the_shard_and_the_job()
    {
        var job = ShardJob.For(_job, 42, "5-english-tts");

        new ShardJobDisplayNameAttribute()
            .Format(null!, job)
            .Should()
            .Be("english-tts: Shard 42 of job 0197b2a4-0000-7000-8000-00000000002a");
    }
}
