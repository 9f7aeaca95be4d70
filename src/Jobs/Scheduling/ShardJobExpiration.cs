using Hangfire.Common;
using Hangfire.States;
using Hangfire.Storage;

namespace Seq2Seq.Jobs.Scheduling;

/// <summary>
/// How long Hangfire remembers a shard's job that has ended: the history of shards is in our tables, so not for long.
/// Failures, which Hangfire would keep for ever, stay a week for the operator.
/// </summary>
internal sealed class ShardJobExpiration : JobFilterAttribute, IElectStateFilter, IApplyStateFilter
{
    private static readonly TimeSpan _ended = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan _failed = TimeSpan.FromDays(7);

    public void OnStateElection(ElectStateContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (context.CandidateState is FailedState failed)
        {
            context.CandidateState = new FinalFailedState(failed);
        }
    }

    public void OnStateApplied(ApplyStateContext context, IWriteOnlyTransaction transaction)
    {
        ArgumentNullException.ThrowIfNull(context);
        context.JobExpirationTimeout = context.NewState is FinalFailedState ? _failed : _ended;
    }

    public void OnStateUnapplied(ApplyStateContext context, IWriteOnlyTransaction transaction) { }

    /// <summary>Hangfire's failed state, but final, because only a final state expires.</summary>
    private sealed class FinalFailedState(FailedState failed) : IState
    {
        public string Name => failed.Name;

        public string Reason => failed.Reason;

        public bool IsFinal => true;

        public bool IgnoreJobLoadException => failed.IgnoreJobLoadException;

        public Dictionary<string, string> SerializeData() => failed.SerializeData();
    }
}
