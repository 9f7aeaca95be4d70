using System.Security.Cryptography;
using System.Text.Json;
using Seq2Seq.Inference.Generation;

namespace Seq2Seq.Jobs.Submission;

/// <summary>SHA-256 over what a submit asks for and all its lines: tells whether an idempotency key came with the same request.</summary>
internal sealed class RequestDigest : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    public RequestDigest(JobRequest request)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            writer.WriteStartArray();
            writer.WriteStringValue(request.Model);
            writer.WriteStringValue(request.Name);
            writer.WriteRawValue(GenerationParametersJson.Write(request.Parameters));
            writer.WriteNumberValue(request.Priority);
            writer.WriteNumberValue(request.Retention?.Ticks ?? -1);
            writer.WriteStringValue(request.Webhook?.Url);
            writer.WriteStringValue(request.Webhook?.Secret);
            writer.WriteNumberValue(request.StartAt?.UtcTicks ?? -1);
            writer.WriteNumberValue(request.Deadline?.UtcTicks ?? -1);
            writer.WriteEndArray();
        }

        _hash.AppendData(stream.GetBuffer().AsSpan(0, (int)stream.Length));
    }

    /// <summary>Adds a line in its stored form.</summary>
    public void Add(ReadOnlySpan<byte> storedLine) => _hash.AppendData(storedLine);

    public byte[] Finish() => _hash.GetHashAndReset();

    public void Dispose() => _hash.Dispose();
}
