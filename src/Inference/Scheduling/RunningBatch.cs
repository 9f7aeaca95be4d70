using Seq2Seq.Inference.Devices;
using Seq2Seq.Inference.Families;
using Seq2Seq.Inference.Layers;
using Seq2Seq.Inference.Layers.Attention;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Scheduling;

/// <summary>
/// Decodes lines of many callers together, on a thread of its own: lines are admitted while there is room, every step runs
/// all rows, and a finished line leaves at once. A line that is cancelled leaves before the next step.
/// </summary>
internal sealed class RunningBatch : IDisposable
{
    private readonly INetwork _network;
    private readonly BatchLimits _limits;
    private readonly LineQueue _queue;
    private readonly SemaphoreSlim _arrival = new(0);
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<ActiveLine> _active = [];
    private readonly Thread _thread;
    private readonly int _threads;
    private int _activeRows;

    /// <param name="network">The network; it is not disposed here.</param>
    /// <param name="threads">Cores to compute on.</param>
    /// <param name="limits">How much to take on at once.</param>
    /// <param name="name">Name of the threads in debuggers and dumps.</param>
    public RunningBatch(INetwork network, int threads, BatchLimits limits, string name)
    {
        _network = network;
        _limits = limits;
        _threads = threads;
        _queue = new LineQueue(limits.WindowSize);
        _thread = new Thread(Run) { IsBackground = true, Name = name };
        _thread.Start();
    }

    /// <summary>Hands lines over; their outputs come in their own time.</summary>
    public void Add(IReadOnlyList<LineRequest> requests)
    {
        _queue.Add(requests);
        _arrival.Release();
    }

    /// <summary>Stops within a step. Lines that are not finished fail.</summary>
    public void Dispose()
    {
        _stopping.Cancel();
        _thread.Join();
        _arrival.Dispose();
        _stopping.Dispose();
    }

    private void Run()
    {
        using ComputeTeam team = new(_threads, _thread.Name ?? nameof(RunningBatch));
        using ComputeTeam.Membership membership = team.Enter();
        // Torch's own operators, where the network uses any, stay within the same cores; the number holds for this thread.
        set_num_threads(_threads);
        using var inference = inference_mode();
        using KeyValueCache cache = new(_network.Shape.DecoderLayers, _network.Shape.CacheWidth, _network.Shape.Device);
        using KeyValueCache memory = new(
            _network.Shape.DecoderLayers,
            _network.Shape.MemoryWidth,
            _network.Shape.Device
        );
        using IForwardPass pass = _network.CreateForwardPass();
        DecoderBatch batch = new(cache, memory);
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                DropCancelled();
                Admit(pass, cache, memory);
                if (_active.Count > 0)
                {
                    Step(pass, batch);
                }
                else
                {
                    _arrival.Wait(_stopping.Token);
                }
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                break;
            }
            catch (Exception exception)
            {
                // The callers hear of it; the loop serves the others.
                FailActive(exception);
            }
        }

        ObjectDisposedException stopped = new(nameof(SequenceModel), "The model was unloaded.");
        foreach (LineRequest request in _queue.Close())
        {
            request.Fail(stopped);
        }

        FailActive(stopped);
    }

    private void Admit(IForwardPass pass, KeyValueCache cache, KeyValueCache memory)
    {
        // A few lines more cost a whole pass of the encoder: wait until some have left, unless these are all that wait.
        int room = _limits.MaxRows - _activeRows;
        if (_active.Count > 0 && room < Math.Min(_limits.MaxRows / 8, _queue.Count))
        {
            return;
        }

        List<ActiveLine> admitted = [];
        int tokens = 0;
        while (_queue.TryPeek(out LineRequest? request))
        {
            if (request.IsCancelled)
            {
                _queue.Take();
                request.Cancel();
                continue;
            }

            bool fits =
                _activeRows + request.Settings.NumBeams <= _limits.MaxRows
                && tokens + request.Source.Count <= _limits.MaxEncoderTokens;
            if (!fits && (_active.Count > 0 || admitted.Count > 0))
            {
                break;
            }

            _queue.Take();
            try
            {
                ActiveLine line = new(request, cache, memory);
                _active.Add(line);
                admitted.Add(line);
                _activeRows += request.Settings.NumBeams;
                tokens += request.Source.Count;
            }
            catch (Exception exception)
            {
                request.Fail(exception);
            }
        }

        if (admitted.Count > 0)
        {
            pass.Encode(
                new SourceBatch(
                    [.. admitted.Select(line => line.Request.Source)],
                    memory,
                    [.. admitted.Select(line => line.MemoryStart)]
                )
            );
        }
    }

    private void Step(IForwardPass pass, DecoderBatch batch)
    {
        batch.Clear();
        foreach (ActiveLine line in _active)
        {
            line.AddTo(batch);
        }

        Rows logits = pass.Decode(batch);
        int row = 0;
        foreach (ActiveLine line in _active)
        {
            int rows = line.Search.Rows;
            line.Advance(logits.Slice(row, rows));
            row += rows;
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
            }

            return line.Request.IsCancelled;
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
                _activeRows -= line.Request.Settings.NumBeams;
                line.Dispose();
            }

            return left;
        });
}
