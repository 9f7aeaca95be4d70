namespace Seq2Seq.Api.Tests.CommandLine.Lines;

/// <summary>Gives its bytes a few at a time, as a pipe does.</summary>
internal sealed class SteppedStream(byte[] bytes, int step) : MemoryStream(bytes)
{
    public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(step, buffer.Length)]);

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        base.ReadAsync(buffer[..Math.Min(step, buffer.Length)], cancellationToken);
}
