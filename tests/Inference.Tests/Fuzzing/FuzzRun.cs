using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Seq2Seq.Testing;

namespace Seq2Seq.Inference.Tests.Fuzzing;

/// <summary>
/// Gives targets one input after the other and keeps those that were not met: an exception that is not documented, more memory
/// than an input is worth, no answer. An input that ends the process is found in artifacts/fuzz/running.
/// </summary>
internal sealed class FuzzRun(FuzzOptions options, Action<string> log)
{
    /// <summary>Far beyond any input's time on a busy machine: what is still not answered then hangs.</summary>
    private static readonly TimeSpan _hangs = TimeSpan.FromMinutes(2);

    private const int ShortInputs = 12;
    private const int InputsAtATime = 20;

    /// <summary>A target whose finds are this many is not asked again.</summary>
    private const int MaxFinds = 3;

    private readonly Dictionary<string, FuzzFind> _finds = new(StringComparer.Ordinal);
    private long _inputs;
    private (TimeSpan Time, string Target, string File) _slowest;

    private static string Folder { get; } = Path.Join(Repository.Root, "artifacts", "fuzz");

    /// <summary>Runs new inputs: a few for each target, or in turns until the time is over.</summary>
    public async Task<IReadOnlyList<FuzzFind>> SearchAsync(IReadOnlyList<FuzzTarget> targets, TimeSpan limit)
    {
        (FuzzTarget Target, Random Random)[] all =
        [
            .. targets.Select(target => (target, new Random(SeedOf(options.Seed, target.Name)))),
        ];
        Random order = new(options.Seed);
        long start = Stopwatch.GetTimestamp();
        do
        {
            // However short the time, no target is always among the last.
            order.Shuffle(all);
            foreach ((FuzzTarget target, Random random) in all)
            {
                for (int i = 0; i < (options.IsLong ? InputsAtATime : ShortInputs) && IsWorthwhile(target); i++)
                {
                    await TryAsync(target, target.Next(random));
                }

                if (options.IsLong && Stopwatch.GetElapsedTime(start) > limit)
                {
                    break;
                }
            }
        } while (options.IsLong && Stopwatch.GetElapsedTime(start) < limit);

        log(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{_inputs} inputs for {targets.Count} targets in {Stopwatch.GetElapsedTime(start).TotalSeconds:0} s, {_finds.Count} finds; slowest {_slowest.Time.TotalMilliseconds:0} ms: {_slowest.Target} {_slowest.File}"
            )
        );
        return [.. _finds.Values];
    }

    /// <summary>Runs one input.</summary>
    public async Task<IReadOnlyList<FuzzFind>> ReplayAsync(FuzzTarget target, byte[] input)
    {
        await TryAsync(target, input);
        return [.. _finds.Values];
    }

    private bool IsWorthwhile(FuzzTarget target) => _finds.Values.Count(find => find.Target == target.Name) < MaxFinds;

    private async Task TryAsync(FuzzTarget target, byte[] input)
    {
        _inputs++;
        if (options.IsLong)
        {
            Keep("running", "input", input);
        }

        long start = Stopwatch.GetTimestamp();
        Task<(Exception? Thrown, long Allocated)> run = Task.Run(() => MeasureAsync(target, input));
        if (await Task.WhenAny(run, Task.Delay(_hangs)) != run)
        {
            Find(target, input, "hang", $"no answer in {_hangs.TotalSeconds} s");
            throw new InvalidOperationException(_finds.Values.Last().ToString());
        }

        (Exception? thrown, long allocated) = await run;
        TimeSpan time = Stopwatch.GetElapsedTime(start);
        if (thrown is not null)
        {
            Find(target, input, Place(thrown), thrown.ToString());
        }
        else if (allocated > target.MaxAllocatedBytes)
        {
            Find(target, input, "memory", $"{allocated} bytes were allocated");
        }

        if (options.IsLong && time > _slowest.Time)
        {
            _slowest = (time, target.Name, Keep("slowest", target.Name.Replace('/', '_'), input));
        }
    }

    private static async Task<(Exception? Thrown, long Allocated)> MeasureAsync(FuzzTarget target, byte[] input)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        long allocated = 0;
        try
        {
            // Reading is done when the task is there; what it may still wait for are answers of a model.
            Task reading = target.RunAsync(input);
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            await reading;
            return (null, allocated);
        }
        catch (Exception exception)
        {
            return (exception, allocated);
        }
    }

    // The same fault is kept once for each target.
    private void Find(FuzzTarget target, byte[] input, string place, string what)
    {
        string key = $"{target.Name} {place}";
        if (!_finds.ContainsKey(key))
        {
            string file = Keep(target.Name, Convert.ToHexStringLower(SHA256.HashData(input))[..16], input);
            _finds.Add(key, new FuzzFind(target.Name, file, what));
            log(_finds[key].ToString());
        }
    }

    private static string Keep(string folder, string name, byte[] input)
    {
        string path = Directory.CreateDirectory(Path.Join(Folder, folder)).FullName;
        File.WriteAllBytes(Path.Join(path, name), input);
        return Path.Join(path, name);
    }

    /// <summary>The innermost place of ours that the exception came through.</summary>
    private static string Place(Exception exception) =>
        $"{exception.GetType().Name} {exception.StackTrace?.Split('\n').FirstOrDefault(line => line.Contains("Seq2Seq.", StringComparison.Ordinal))?.Trim()}";

    private static int SeedOf(int seed, string name) =>
        BitConverter.ToInt32(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes($"{seed} {name}")));
}
