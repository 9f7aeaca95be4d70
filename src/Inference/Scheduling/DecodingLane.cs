using Seq2Seq.Inference.Devices;
using Seq2Seq.Inference.Families;
using Seq2Seq.Inference.Generation.Drafting;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Attention;
using Seq2Seq.Inference.Loading;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Scheduling;

/// <summary>
/// One loop of a running batch, on a thread of its own: it admits lines while there is room, steps all their rows at once,
/// and lets a line go as soon as it is finished. A line that is cancelled leaves before the next step.
/// </summary>
internal sealed class DecodingLane : IDisposable
{
    private readonly RunningBatch _owner;
    private readonly INetwork _network;
    private readonly BatchLimits _limits;
    private readonly LosslessSavings _savings;
    private readonly AutoResetEvent _arrival = new(initialState: false);
    private readonly ManualResetEventSlim _turn = new();
    private readonly List<ActiveLine> _active = [];
    private readonly DraftTable? _earlier;
    private readonly Thread _thread;
    private int _activeRows;
    private volatile bool _stopping;

    /// <param name="owner">Where lines come from and with whom cores are shared.</param>
    /// <param name="network">The network; it is not disposed here.</param>
    /// <param name="limits">How much to take on at once.</param>
    /// <param name="savings">What to save by.</param>
    /// <param name="index">The lane's place among its owner's.</param>
    /// <param name="name">Name of the thread in debuggers and dumps.</param>
    public DecodingLane(
        RunningBatch owner,
        INetwork network,
        BatchLimits limits,
        LosslessSavings savings,
        int index,
        string name
    )
    {
        _owner = owner;
        _network = network;
        _limits = limits;
        _savings = savings;
        Index = index;
        // On other devices a row's rounding depends on how many there are.
        _earlier = network.Shape.Device.type == TorchSharp.DeviceType.CPU ? new DraftTable() : null;
        _thread = new Thread(Run) { IsBackground = true, Name = name };
    }

    /// <summary>The first lane takes every line; the others join when there is enough for all.</summary>
    public int Index { get; }

    public void Start() => _thread.Start();

    /// <summary>Has the lane look for lines.</summary>
    public void Wake() => _arrival.Set();

    /// <summary>Stops within a step. Lines that are not finished fail.</summary>
    public void Dispose()
    {
        _stopping = true;
        _arrival.Set();
        _thread.Join();
        _arrival.Dispose();
        _turn.Dispose();
    }

    private void Run()
    {
        Denormals.Flush();
        // Torch's own operators, where the network uses any, stay within the lane's share; the number holds for this thread.
        set_num_threads(_owner.ThreadsPerLane);
        using var inference = inference_mode();
        NetworkShape shape = _network.Shape;
        using KeyValueCache cache = CreateCache(shape, shape.CacheWidth);
        using KeyValueCache memory = CreateCache(shape, shape.MemoryWidth);
        using IForwardPass pass = _network.CreateForwardPass();
        DecoderBatch batch = new(cache, memory) { IsScreened = _savings.Screening };
        while (!_stopping)
        {
            if (_active.Count == 0 && !_owner.HasLinesFor(this))
            {
                _arrival.WaitOne();
                continue;
            }

            try
            {
                using ComputeCores.Presence presence = _owner.Compute();
                while (!_stopping && RunStep(pass, batch)) { }
            }
            catch (Exception exception)
            {
                // The callers hear of it; the loop serves the others.
                FailActive(exception);
            }
        }

        FailActive(RunningBatch.Unloaded());
    }

    /// <returns>Whether lines are still being decoded.</returns>
    private bool RunStep(IForwardPass pass, DecoderBatch batch)
    {
        using ComputeCores.Turn core = _owner.TakeCore(_turn);
        using ComputeTeam.Membership team = _owner.EnterTeam();
        DropCancelled();
        Admit(pass, batch.Cache, batch.Memory);
        if (_active.Count > 0)
        {
            MakeRoom(batch.Cache, batch.Memory);
            Step(pass, batch);
        }

        return _active.Count > 0;
    }

    private KeyValueCache CreateCache(NetworkShape shape, int width) =>
        new(
            shape.DecoderLayers,
            width,
            shape.Device,
            _limits.MaxCacheTokens((long)width * sizeof(float) * shape.DecoderLayers)
        );

    /// <summary>Bytes of keys and values once each line has taken what the next step may need.</summary>
    private long DemandedBytes(KeyValueCache cache, KeyValueCache memory) =>
        cache.TakenBytes + memory.TakenBytes + (_active.Sum(line => (long)line.Demand) * cache.BytesPerToken);

    /// <summary>Sends the last admitted lines back to wait while there is not enough memory for the next step of all.</summary>
    private void MakeRoom(KeyValueCache cache, KeyValueCache memory)
    {
        while (_active.Count > 1 && DemandedBytes(cache, memory) > _limits.MaxCacheBytes)
        {
            ActiveLine last = _active[^1];
            RemoveWhere(line => line == last);
            _owner.GiveBack(last.Request);
        }
    }

    private void Admit(IForwardPass pass, KeyValueCache cache, KeyValueCache memory)
    {
        // A few lines more cost a whole pass of the encoder: wait until some have left, unless these are all that wait.
        int waiting = _owner.Waiting;
        int room = _limits.MaxRows - _activeRows;
        if (waiting == 0 || (_active.Count > 0 && room < Math.Min(_limits.MaxRows / 8, waiting)))
        {
            return;
        }

        List<ActiveLine> admitted = [];
        int tokens = 0;
        int share = _owner.ShareOf(waiting);
        long bytes = DemandedBytes(cache, memory);
        while (
            admitted.Count < share
            && _owner.TryTake(
                request =>
                    (_active.Count == 0 && admitted.Count == 0)
                    || (
                        _activeRows + request.MaxRows <= _limits.MaxRows
                        && tokens + request.Source.Count <= _limits.MaxEncoderTokens
                        && bytes + BytesToBegin(request) <= _limits.MaxCacheBytes / 4 * 3
                    ),
                out LineRequest? request
            )
        )
        {
            if (request.IsCancelled)
            {
                request.Cancel();
                continue;
            }

            try
            {
                ActiveLine line = new(request, cache, memory, _earlier);
                _active.Add(line);
                admitted.Add(line);
                _activeRows += request.MaxRows;
                tokens += request.Source.Count;
                bytes += BytesToBegin(request);
            }
            catch (Exception exception)
            {
                request.Fail(exception);
            }
        }

        long BytesToBegin(LineRequest request) =>
            (request.Source.Count * memory.BytesPerToken)
            + (LinePlaces.BlockLength(request.MaxSequences) * cache.BytesPerToken);

        if (admitted.Count > 0)
        {
            Encode(pass, admitted, memory);
        }
    }

    private void Encode(IForwardPass pass, List<ActiveLine> lines, KeyValueCache memory)
    {
        IReadOnlyList<int>[] padding = _savings.PaddingRemoval ? [] : Padding(lines);
        int room = padding.Length == 0 ? 0 : padding.Max(line => line.Count);
        int unread = room == 0 ? 0 : memory.Take(room);
        try
        {
            pass.Encode(
                new SourceBatch(
                    [.. lines.Select(line => line.Request.Source), .. padding],
                    memory,
                    [.. lines.Select(line => line.MemoryStart), .. padding.Select(_ => unread)],
                    [.. lines.Select(line => line.Request.Settings.GlobalTokens), .. padding.Select(_ => 0)]
                )
            );
        }
        finally
        {
            if (room > 0)
            {
                memory.GiveBack(unread, room);
            }
        }
    }

    /// <summary>
    /// What each line is short of the longest, as a line that nobody reads: all that padding costs but for the attention
    /// between the two.
    /// </summary>
    private static IReadOnlyList<int>[] Padding(List<ActiveLine> lines)
    {
        int longest = lines.Max(line => line.Request.Source.Count);
        return
        [
            .. lines
                .Select(line => line.Request.Source)
                .Where(source => source.Count < longest)
                .Select(source => Enumerable.Repeat(source[^1], longest - source.Count).ToArray()),
        ];
    }

    private void Step(IForwardPass pass, DecoderBatch batch)
    {
        batch.Clear();
        // Guesses take the rows that lines leave free, each line as many.
        int share = (_limits.MaxRows - _activeRows) / _active.Count;
        foreach (ActiveLine line in _active)
        {
            line.Search.Draft(Math.Max(0, share));
            line.AddTo(batch);
        }

        Rows logits = pass.Decode(batch);
        int row = 0;
        foreach (ActiveLine line in _active)
        {
            line.Advance(logits.Slice(row, line.FedTokens));
            row += line.FedTokens;
        }

        RemoveWhere(line =>
        {
            if (line.Search.IsFinished)
            {
                line.Request.Complete(line.Search.Outputs());
            }

            return line.Search.IsFinished;
        });
    }

    private void DropCancelled() =>
        RemoveWhere(line =>
        {
            if (line.Request.IsCancelled)
            {
                line.Request.Cancel();
                return true;
            }

            return false;
        });

    private void FailActive(Exception exception) =>
        RemoveWhere(line =>
        {
            line.Request.Fail(exception);
            return true;
        });

    private void RemoveWhere(Predicate<ActiveLine> leaves) =>
        _active.RemoveAll(line =>
        {
            bool left = leaves(line);
            if (left)
            {
                _activeRows -= line.Request.MaxRows;
                line.Dispose();
            }

            return left;
        });
}
