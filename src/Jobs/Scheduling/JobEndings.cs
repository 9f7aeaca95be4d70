namespace Seq2Seq.Jobs.Scheduling;

/// <summary>Wakes whoever waits for the end of a job, however many wait, by one subscription.</summary>
internal sealed class JobEndings : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<Guid, TaskCompletionSource> _waits = [];
    private readonly IDisposable _subscription;

    public JobEndings(DatabaseListener listener) =>
        _subscription = listener.Subscribe(NotificationChannels.Ended, Wake, WakeAll);

    /// <summary>Completes when the job may have ended: look again. Take it before looking, so that nothing is missed.</summary>
    public Task NextAsync(Guid jobId)
    {
        lock (_lock)
        {
            if (!_waits.TryGetValue(jobId, out var wait))
            {
                wait = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _waits.Add(jobId, wait);
            }

            return wait.Task;
        }
    }

    public void Dispose() => _subscription.Dispose();

    private void Wake(string payload)
    {
        if (!Guid.TryParse(payload, out var jobId))
        {
            return;
        }

        lock (_lock)
        {
            if (_waits.Remove(jobId, out var wait))
            {
                wait.SetResult();
            }
        }
    }

    // Listening has begun anew: what ended meanwhile was not heard.
    private void WakeAll()
    {
        lock (_lock)
        {
            foreach (var wait in _waits.Values)
            {
                wait.SetResult();
            }

            _waits.Clear();
        }
    }
}
