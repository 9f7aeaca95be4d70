namespace Seq2Seq.Jobs.Webhooks;

/// <summary>Where to say that a job has ended.</summary>
/// <param name="Url">An <c>https</c> address that this service may reach.</param>
/// <param name="Secret"><c>whsec_</c> and 24 to 64 bytes in base64, by which the receiver tells our messages; null means the configured one.</param>
public sealed record WebhookTarget(string Url, string? Secret);
