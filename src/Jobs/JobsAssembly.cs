namespace Seq2Seq.Jobs;

internal static class JobsAssembly;
