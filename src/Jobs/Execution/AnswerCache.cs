using Seq2Seq.Inference.Generation;

namespace Seq2Seq.Jobs.Execution;

/// <summary>
/// What a slot has computed for the jobs at hand: equal lines of a job are computed once, whatever shards they stand in. An
/// answer depends on the job's parameters and on the load that gave it, so both are in the key. Bounded: the job that was
/// used longest ago goes first.
/// </summary>
/// <param name="maxBytes">About how much memory the answers may take.</param>
internal sealed class AnswerCache(long maxBytes)
{
    public const long UsualBytes = 64 * 1024 * 1024;

    // An entry besides its characters and tokens: objects' headers, the table.
    private const int BytesPerEntry = 200;

    private readonly Lock _lock = new();
    private readonly LinkedList<Answers> _byUse = [];
    private readonly Dictionary<(Guid Job, long Load), LinkedListNode<Answers>> _jobs = [];
    private long _bytes;

    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>The answers that are there, by the places of the texts; null where there is none.</summary>
    public SequenceResult?[] Find(Guid job, long load, IReadOnlyList<string?> texts)
    {
        var found = new SequenceResult?[texts.Count];
        lock (_lock)
        {
            var answers = Open(job, load).ByText;
            for (int i = 0; i < found.Length; i++)
            {
                if (texts[i] is { } text)
                {
                    found[i] = answers.GetValueOrDefault(text);
                }
            }
        }

        return found;
    }

    public void Add(Guid job, long load, IEnumerable<(string Text, SequenceResult Result)> results)
    {
        lock (_lock)
        {
            var answers = Open(job, load);
            foreach (var (text, result) in results)
            {
                long bytes = Size(text, result);
                if (answers.Bytes + bytes <= maxBytes && answers.ByText.TryAdd(text, result))
                {
                    answers.Bytes += bytes;
                    _bytes += bytes;
                }
            }

            while (_bytes > maxBytes && _byUse.Last is { } oldest && oldest.Value != answers)
            {
                _byUse.RemoveLast();
                _jobs.Remove(oldest.Value.Key);
                _bytes -= oldest.Value.Bytes;
            }
        }
    }

    private Answers Open(Guid job, long load)
    {
        if (_jobs.TryGetValue((job, load), out var node))
        {
            _byUse.Remove(node);
            _byUse.AddFirst(node);
        }
        else
        {
            node = _byUse.AddFirst(new Answers((job, load)));
            _jobs.Add(node.Value.Key, node);
        }

        return node.Value;
    }

    private static long Size(string text, SequenceResult result) =>
        BytesPerEntry
        + (sizeof(char) * text.Length)
        + result.Outputs.Sum(output =>
            BytesPerEntry
            + (sizeof(char) * (output.Text?.Length ?? 0))
            + ((sizeof(int) + (output.TokenLogprobs is null ? 0 : sizeof(float))) * output.TokenIds.Count)
        );

    private sealed class Answers((Guid Job, long Load) key)
    {
        public (Guid Job, long Load) Key { get; } = key;

        public Dictionary<string, SequenceResult> ByText { get; } = new(StringComparer.Ordinal);

        public long Bytes { get; set; }
    }
}
