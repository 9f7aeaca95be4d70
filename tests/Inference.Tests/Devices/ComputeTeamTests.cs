using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Seq2Seq.Inference.Devices;

namespace Seq2Seq.Inference.Tests.Devices;

public sealed class ComputeTeamTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public unsafe void Every_chunk_runs_once(int threads)
    {
        using ComputeTeam team = new(threads, "test");
        using ComputeTeam.Membership membership = team.Enter();
        ComputeTeam.CurrentCount.Should().Be(threads);
        int[] runs = new int[7];
        fixed (int* pointer = runs)
        {
            for (int i = 0; i < 2000; i++)
            {
                ComputeTeam.Run(&CountRun, pointer, runs.Length);
            }
        }

        runs.Should().AllBeEquivalentTo(2000);
    }

    [Fact]
    public async Task Parked_workers_wake_for_the_next_kernel()
    {
        using ComputeTeam team = new(2, "test");
        for (int i = 0; i < 5; i++)
        {
            RunOnce(team).Should().Equal(1, 1);
            await Task.Delay(TimeSpan.FromMilliseconds(5), TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public unsafe void A_thread_without_a_team_computes_alone()
    {
        ComputeTeam.CurrentCount.Should().Be(1);
        int runs = 0;
        ComputeTeam.Run(&CountRun, &runs, chunks: 1);
        runs.Should().Be(1);
    }

    [Fact]
    public unsafe void An_exception_on_any_thread_reaches_the_caller_and_the_team_goes_on()
    {
        using ComputeTeam team = new(2, "test");
        for (int i = 0; i < 20; i++)
        {
            Action run = () =>
            {
                using ComputeTeam.Membership membership = team.Enter();
                ComputeTeam.Run(&ThrowOnLast, state: null, chunks: 3);
            };

            run.Should().Throw<InvalidOperationException>().WithMessage("chunk 2");
            RunOnce(team).Should().Equal(1, 1);
        }
    }

    [Fact]
    public unsafe void Every_thread_of_a_team_flushes_denormals()
    {
        Assert.SkipUnless(Denormals.CanFlush, "No known switch on this platform.");
        using ComputeTeam team = new(2, "test");
        Meeting[] meeting = [new()];
        Thread thread = new(() =>
        {
            using ComputeTeam.Membership membership = team.Enter();
            fixed (Meeting* pointer = meeting)
            {
                ComputeTeam.Run(&MultiplyToDenormalTogether, pointer, chunks: 2);
            }
        });
        thread.Start();
        thread.Join();

        meeting[0].First.Should().Be(0);
        meeting[0].Second.Should().Be(0);
    }

    [Fact]
    public void Code_compiled_on_a_flushing_thread_keeps_its_constants()
    {
        float power = 0;
        Thread thread = new(() =>
        {
            Denormals.Flush();
            power = PowerOfTwo(3);
        });
        thread.Start();
        thread.Join();

        power.Should().Be(8);
    }

    // The bits of 127 are a denormal float; the method is called once, and compiled where it is called.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static float PowerOfTwo(int exponent) =>
        ((Vector256.Create(exponent) + Vector256.Create(127)) << 23).AsSingle()[0];

    private static unsafe int[] RunOnce(ComputeTeam team)
    {
        using ComputeTeam.Membership membership = team.Enter();
        int[] runs = new int[2];
        fixed (int* pointer = runs)
        {
            ComputeTeam.Run(&CountRun, pointer, chunks: 2);
        }

        return runs;
    }

    private static unsafe void CountRun(void* state, int chunk, int chunks) => ((int*)state)[chunk]++;

    private static unsafe void ThrowOnLast(void* state, int chunk, int chunks)
    {
        if (chunk == chunks - 1)
        {
            throw new InvalidOperationException($"chunk {chunk}");
        }
    }

    /// <summary>Each of two chunks waits for the other, so that two threads must take them.</summary>
    private static unsafe void MultiplyToDenormalTogether(void* state, int chunk, int chunks)
    {
        Meeting* meeting = (Meeting*)state;
        Interlocked.Increment(ref meeting->Arrived);
        SpinWait.SpinUntil(() => Volatile.Read(ref meeting->Arrived) == 2);
        float small = 1e-30f * meeting->Arrived;
        (chunk == 0 ? ref meeting->First : ref meeting->Second) = small * 1e-10f;
    }

    private struct Meeting()
    {
        public int Arrived;
        public float First = 1;
        public float Second = 1;
    }
}
