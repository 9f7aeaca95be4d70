using Seq2Seq.Inference.Devices;

namespace Seq2Seq.Inference.Tests.Devices;

public sealed class ComputeCoresTests
{
    [Fact]
    public void No_more_are_in_a_step_than_there_are_cores()
    {
        ComputeCores cores = new(2);
        int inside = 0;
        int most = 0;
        Thread[] loops = [.. Enumerable.Range(0, 6).Select(_ => new Thread(Loop))];

        foreach (Thread loop in loops)
        {
            loop.Start();
        }

        foreach (Thread loop in loops)
        {
            loop.Join();
        }

        most.Should().BeInRange(1, 2);

        void Loop()
        {
            using ManualResetEventSlim turn = new();
            for (int step = 0; step < 500; step++)
            {
                using ComputeCores.Turn core = cores.Take(turn);
                int now = Interlocked.Increment(ref inside);
                for (int seen = most; now > seen; seen = most)
                {
                    Interlocked.CompareExchange(ref most, now, seen);
                }

                Thread.Yield();
                Interlocked.Decrement(ref inside);
            }
        }
    }

    [Fact]
    public void Who_gives_a_core_back_gets_it_again_only_after_those_who_wait()
    {
        ComputeCores cores = new(1);
        List<string> order = [];
        using ManualResetEventSlim firstTurn = new();
        using ManualResetEventSlim secondTurn = new();
        Thread waiting = new(() =>
        {
            using ComputeCores.Turn core = cores.Take(secondTurn);
            lock (order)
            {
                order.Add("who waited");
            }
        });
        using (cores.Take(firstTurn))
        {
            waiting.Start();
            SpinWait.SpinUntil(() => cores.Waiting == 1);
        }

        using (cores.Take(firstTurn))
        {
            lock (order)
            {
                order.Add("who had it");
            }
        }

        waiting.Join();
        order.Should().Equal("who waited", "who had it");
    }

    [Fact]
    public void One_loop_at_work_has_all_cores_until_another_comes()
    {
        ComputeCores cores = new(2);
        using (cores.Work())
        {
            cores.HasOneAtWork.Should().BeTrue();
            using (cores.Work())
            {
                cores.HasOneAtWork.Should().BeFalse();
            }

            cores.HasOneAtWork.Should().BeTrue();
        }

        cores.HasOneAtWork.Should().BeFalse();
    }
}
