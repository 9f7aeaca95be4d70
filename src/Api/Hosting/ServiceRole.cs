namespace Seq2Seq.Api.Hosting;

/// <summary>What a process of the service does.</summary>
internal enum ServiceRole
{
    /// <summary>Answers HTTP and runs models: everything in one process.</summary>
    All,

    /// <summary>Answers HTTP; workers run elsewhere.</summary>
    Api,

    /// <summary>Runs models; an API runs elsewhere.</summary>
    Worker,
}
