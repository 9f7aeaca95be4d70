using Seq2Seq.Jobs.Submission;

namespace Seq2Seq.Api.Jobs;

/// <summary>A request to submit a job, read as far as its lines, which may still be on their way.</summary>
internal sealed record Submission(JobRequest Request, IAsyncEnumerable<SourceLine> Lines);
