using System.Diagnostics.CodeAnalysis;
using Seq2Seq.Inference.Devices;
using Seq2Seq.Inference.Families;
using Seq2Seq.Inference.Loading;

namespace Seq2Seq.Inference.Scheduling;

/// <summary>
/// Decodes lines of many callers together. On the CPU it has a lane for each core: while there are lines for all, each
/// lane computes alone on its core, which wastes no time on meeting the others; a lane that is the only one at work has
/// every core at its disposal.
/// </summary>
internal sealed class RunningBatch : IDisposable
{
    /// <summary>Fewer lines than this are not worth dividing.</summary>
    private const int LeastShare = 8;

    private readonly LineQueue _queue;
    private readonly DecodingLane[] _lanes;
    private readonly ComputeTeam _team;
    private readonly ComputeTeam _alone;
    private readonly ComputeCores _cores;
    private int _restarts;

    /// <param name="network">The network; it is not disposed here.</param>
    /// <param name="cores">Cores to compute on; other batches may share them.</param>
    /// <param name="limits">How much a lane takes on at once.</param>
    /// <param name="savings">What to save by.</param>
    /// <param name="name">Name of the threads in debuggers and dumps.</param>
    public RunningBatch(INetwork network, ComputeCores cores, BatchLimits limits, LosslessSavings savings, string name)
    {
        int threads = cores.Count;
        _cores = cores;
        bool isCpu = network.Shape.Device.type == TorchSharp.DeviceType.CPU;
        _queue = new LineQueue(limits.WindowSize);
        _team = new ComputeTeam(isCpu ? threads : 1, name);
        _alone = new ComputeTeam(1, name);
        _lanes = new DecodingLane[isCpu ? threads : 1];
        ThreadsPerLane = threads / _lanes.Length;
        for (int i = 0; i < _lanes.Length; i++)
        {
            _lanes[i] = new DecodingLane(this, network, limits, savings, i, $"{name} {i}");
        }

        foreach (DecodingLane lane in _lanes)
        {
            lane.Start();
        }
    }

    /// <summary>Cores of a lane while all are at work.</summary>
    public int ThreadsPerLane { get; }

    /// <summary>Lines that wait.</summary>
    public int Waiting => _queue.Count;

    /// <summary>Times that a line had to begin again because there was not enough memory for all.</summary>
    public int Restarts => Volatile.Read(ref _restarts);

    /// <summary>Hands lines over; their outputs come in their own time.</summary>
    /// <param name="call">The caller's lines; the same object when they come in parts.</param>
    /// <param name="requests">Some of them.</param>
    /// <exception cref="ObjectDisposedException">The model was unloaded.</exception>
    public void Add(LineCall call, IReadOnlyList<LineRequest> requests)
    {
        _queue.Add(call, requests);
        foreach (DecodingLane lane in _lanes)
        {
            if (HasLinesFor(lane))
            {
                lane.Wake();
            }
        }
    }

    /// <summary>Stops within a step. Lines that are not finished fail.</summary>
    public void Dispose()
    {
        foreach (LineRequest request in _queue.Close())
        {
            request.Fail(Unloaded());
        }

        foreach (DecodingLane lane in _lanes)
        {
            lane.Dispose();
        }

        _team.Dispose();
        _alone.Dispose();
    }

    public static ObjectDisposedException Unloaded() => new(nameof(SequenceModel), "The model was unloaded.");

    /// <summary>Whether an idle lane should begin.</summary>
    public bool HasLinesFor(DecodingLane lane) => Waiting > lane.Index * LeastShare;

    /// <summary>Lines that a lane takes at once, so that the others get theirs.</summary>
    public int ShareOf(int waiting) => Math.Max(LeastShare, (waiting + _lanes.Length - 1) / _lanes.Length);

    /// <summary>Takes the next line if it fits.</summary>
    public bool TryTake(Predicate<LineRequest> fits, [NotNullWhen(true)] out LineRequest? request) =>
        _queue.TryTake(fits, out request);

    /// <summary>Has a line decoded again from its beginning, before those that wait.</summary>
    public void GiveBack(LineRequest request)
    {
        Interlocked.Increment(ref _restarts);
        if (!_queue.TryGiveBack(request))
        {
            request.Fail(Unloaded());
        }
    }

    /// <summary>Counts a lane as computing until the result is disposed.</summary>
    public ComputeCores.Presence Compute() => _cores.Work();

    /// <summary>Waits for a core for a step.</summary>
    /// <param name="turn">The lane's own.</param>
    public ComputeCores.Turn TakeCore(ManualResetEventSlim turn) => _cores.Take(turn);

    /// <summary>The cores that the calling lane may use for a step: all while it computes alone.</summary>
    // Two lanes can't be in the large team at once: each has counted itself before it looks.
    public ComputeTeam.Membership EnterTeam() => (_cores.HasOneAtWork ? _team : _alone).Enter();
}
