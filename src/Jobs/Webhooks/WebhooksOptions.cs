namespace Seq2Seq.Jobs.Webhooks;

/// <summary>Configuration section <c>Webhooks</c>.</summary>
public sealed class WebhooksOptions
{
    public const string SectionName = "Webhooks";

    /// <summary>Signs messages of jobs that name no secret of their own: <c>whsec_</c> and 24 to 64 bytes in base64.</summary>
    public string? Secret { get; set; }

    /// <summary>
    /// Secrets before <see cref="Secret"/>. Messages are signed with these as well, until every receiver knows the new one.
    /// </summary>
    public List<string> PreviousSecrets { get; } = [];

    /// <summary>
    /// Networks that are not public but may be reached all the same, such as <c>10.1.0.0/16</c>; there, <c>http</c> will do.
    /// Everything else that is not public is refused: a caller must not reach through this service into its network.
    /// </summary>
    public List<string> AllowedNetworks { get; } = [];

    /// <summary>How long one attempt may take.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(20);
}
