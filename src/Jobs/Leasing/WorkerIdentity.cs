using System.Globalization;

namespace Seq2Seq.Jobs.Leasing;

/// <summary>Who this process is to the others: <c>host:pid:guid</c>, new at each start.</summary>
internal sealed class WorkerIdentity
{
    public string Host { get; } = Environment.MachineName;

    public int ProcessId { get; } = Environment.ProcessId;

    public string Id { get; }

    public WorkerIdentity() =>
        Id = string.Create(CultureInfo.InvariantCulture, $"{Host}:{ProcessId}:{Guid.NewGuid():N}");
}
