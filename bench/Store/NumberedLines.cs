using System.Text;

namespace Seq2Seq.Bench.Store;

/// <summary>A stream of lines that are made while it is read.</summary>
/// <param name="lines">How many.</param>
/// <param name="line">A line by its number.</param>
internal sealed class NumberedLines(int lines, Func<int, string> line) : Stream
{
    private ReadOnlyMemory<byte> _rest;
    private int _next;

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => throw new NotSupportedException();
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        int read = 0;
        while (read < buffer.Length && (!_rest.IsEmpty || _next < lines))
        {
            if (_rest.IsEmpty)
            {
                _rest = Encoding.UTF8.GetBytes(line(_next++) + "\n");
            }

            int count = Math.Min(_rest.Length, buffer.Length - read);
            _rest.Span[..count].CopyTo(buffer[read..]);
            _rest = _rest[count..];
            read += count;
        }

        return read;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        ValueTask.FromResult(Read(buffer.Span));

    public override void Flush() { }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
