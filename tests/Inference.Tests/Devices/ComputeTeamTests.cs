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
    public unsafe void Every_part_runs_once(int threads)
    {
        using ComputeTeam team = new(threads, "test");
        using ComputeTeam.Membership membership = team.Enter();
        ComputeTeam.CurrentCount.Should().Be(threads);
        int[] runs = new int[threads];
        fixed (int* pointer = runs)
        {
            for (int i = 0; i < 2000; i++)
            {
                ComputeTeam.Run(&CountRun, pointer);
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
        ComputeTeam.Run(&CountRun, &runs);
        runs.Should().Be(1);
    }

    [Fact]
    public unsafe void A_worker_s_exception_reaches_the_caller_and_the_team_goes_on()
    {
        using ComputeTeam team = new(2, "test");
        Action run = () =>
        {
            using ComputeTeam.Membership membership = team.Enter();
            ComputeTeam.Run(&ThrowOnWorker, state: null);
        };

        run.Should().Throw<InvalidOperationException>().WithMessage("part 1");
        RunOnce(team).Should().Equal(1, 1);
    }

    [Fact]
    public unsafe void Every_thread_of_a_team_flushes_denormals()
    {
        Assert.SkipUnless(Denormals.CanFlush, "No known switch on this platform.");
        using ComputeTeam team = new(2, "test");
        float[] products = [1, 1];
        Thread thread = new(() =>
        {
            using ComputeTeam.Membership membership = team.Enter();
            fixed (float* pointer = products)
            {
                ComputeTeam.Run(&MultiplyToDenormal, pointer);
            }
        });
        thread.Start();
        thread.Join();

        products.Should().Equal(0, 0);
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
            ComputeTeam.Run(&CountRun, pointer);
        }

        return runs;
    }

    private static unsafe void CountRun(void* state, int part, int parts) => ((int*)state)[part]++;

    private static unsafe void ThrowOnWorker(void* state, int part, int parts)
    {
        if (part == 1)
        {
            throw new InvalidOperationException("part 1");
        }
    }

    private static unsafe void MultiplyToDenormal(void* state, int part, int parts)
    {
        float small = 1e-30f * ((float*)state)[part];
        ((float*)state)[part] = small * 1e-10f;
    }
}
