using System.Diagnostics.Tracing;
using Microsoft.Diagnostics.NETCore.Client;
using Microsoft.Diagnostics.Tracing.Etlx;
using Microsoft.Diagnostics.Tracing.Parsers;

namespace Seq2Seq.Bench.Profile;

/// <summary>
/// Samples the stacks of all threads of this process, about a thousand times a second, by the runtime's own sample
/// profiler (EventPipe). The product holds nothing for it, so that it costs nothing when nobody samples.
/// </summary>
internal sealed class StackSampler : IAsyncDisposable
{
    private const string Provider = "Microsoft-DotNETCore-SampleProfiler";

    private readonly string _file = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName() + ".nettrace");
    private readonly EventPipeSession _session;
    private readonly Task _copying;
    private bool _isStopped;

    public StackSampler()
    {
        EventPipeProvider[] providers =
        [
            new(Provider, EventLevel.Informational),
            new(
                "Microsoft-Windows-DotNETRuntime",
                EventLevel.Informational,
                (long)ClrTraceEventParser.Keywords.Default
            ),
        ];
        _session = new DiagnosticsClient(Environment.ProcessId).StartEventPipeSession(providers, requestRundown: true);
        _copying = Task.Run(async () =>
        {
            await using FileStream file = File.Create(_file);
            await _session.EventStream.CopyToAsync(file);
        });
    }

    /// <summary>Ends the sampling.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_isStopped)
        {
            _isStopped = true;
            await _session.StopAsync(CancellationToken.None);
            await _copying;
            _session.Dispose();
        }
    }

    /// <summary>The sampled stacks, each with the full names of its methods, innermost first. Once, after the end.</summary>
    public IEnumerable<IReadOnlyList<string>> ReadStacks()
    {
        string converted = TraceLog.CreateFromEventPipeDataFile(_file);
        try
        {
            using TraceLog log = new(converted);
            foreach (Microsoft.Diagnostics.Tracing.TraceEvent sample in log.Events)
            {
                if (sample.ProviderName != Provider || sample.CallStack() is not { } stack)
                {
                    continue;
                }

                List<string> names = [];
                for (TraceCallStack? frame = stack; frame is not null; frame = frame.Caller)
                {
                    names.Add(frame.CodeAddress.FullMethodName);
                }

                yield return names;
            }
        }
        finally
        {
            File.Delete(converted);
            File.Delete(_file);
        }
    }
}
