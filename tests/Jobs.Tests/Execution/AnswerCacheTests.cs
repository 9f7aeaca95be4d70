using Seq2Seq.Inference.Generation;

namespace Seq2Seq.Jobs.Execution.Tests;

public sealed class AnswerCacheTests
{
    private static readonly Guid _job = Guid.CreateVersion7();
    private static readonly SequenceResult _answer = new();

    [Fact]
    public void An_answer_is_found_for_its_job_and_load_alone()
    {
        var cache = new AnswerCache(AnswerCache.UsualBytes);
        cache.Add(_job, 1, [("a", _answer)]);

        cache.Find(_job, 1, ["a", "b", null]).Should().Equal(_answer, null, null);
        cache.Find(_job, 2, ["a"]).Should().Equal([null]);
        cache.Find(Guid.CreateVersion7(), 1, ["a"]).Should().Equal([null]);
    }

    [Fact]
    public void The_job_that_was_used_longest_ago_goes_first()
    {
        var cache = new AnswerCache(maxBytes: 1000);
        Guid[] jobs = [.. Enumerable.Range(0, 5).Select(_ => Guid.CreateVersion7())];
        foreach (var job in jobs[..4])
        {
            cache.Add(job, 1, [("a", _answer)]);
        }

        cache.Find(jobs[0], 1, ["a"]);
        cache.Add(jobs[4], 1, [("a", _answer)]);

        jobs.Select(job => cache.Find(job, 1, ["a"])[0] is not null).Should().Equal(true, false, true, true, true);
    }

    [Fact]
    public void One_large_job_stays_within_the_bound()
    {
        var cache = new AnswerCache(maxBytes: 10_000);

        cache.Add(_job, 1, Enumerable.Range(0, 1000).Select(i => ($"line {i}", _answer)));

        cache.Bytes.Should().BeInRange(5_000, 10_000);
        cache.Find(_job, 1, ["line 0", "line 999"]).Should().Equal(_answer, null);
    }
}
