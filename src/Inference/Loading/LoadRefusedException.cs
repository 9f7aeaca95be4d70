namespace Seq2Seq.Inference.Loading;

/// <summary>One try to load failed, with a stable code of <see cref="LoadCodes"/>; the load plan turns it into a report.</summary>
internal sealed class LoadRefusedException(string code, string message, Exception? innerException = null)
    : Exception(message, innerException)
{
    public string Code { get; } = code;
}
