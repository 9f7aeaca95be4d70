using Seq2Seq.Inference.Weights;

namespace Seq2Seq.Inference.Tests.Weights;

/// <summary>A file that was never written.</summary>
internal sealed class MemoryBytes(byte[] bytes) : ByteSource("file.bin", 0, bytes.Length)
{
    public override void Read(long offset, Span<byte> destination) =>
        bytes.AsSpan(checked((int)offset), destination.Length).CopyTo(destination);
}
