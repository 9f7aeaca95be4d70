using System.Buffers.Binary;
using System.Text;
using Seq2Seq.Inference.Loading;

namespace Seq2Seq.Inference.Weights.Pickle;

/// <summary>
/// The bytes of a pickle, read front to back. A length that the bytes do not cover is refused before anything is
/// allocated for it, and every refusal says at which byte.
/// </summary>
internal sealed class PickleInput(ByteSource source, long start, string description)
{
    private const int MaxPickleBytes = 32 << 20;
    private const int MaxLineLength = 1 << 16;
    private static readonly UTF8Encoding _utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly byte[] _buffer = new byte[1 << 16];
    private readonly long _start = start;
    private long _bufferStart = start;
    private int _bufferLength;

    /// <summary>The next byte's offset.</summary>
    public long Offset { get; private set; } = start;

    /// <summary>Whether every byte was read.</summary>
    public bool IsAtEnd => Offset >= source.Length;

    public byte ReadByte()
    {
        // Nearly every read is an opcode that is in the buffer already.
        int position = (int)(Offset - _bufferStart);
        if (position < _bufferLength && Offset - _start < MaxPickleBytes)
        {
            Offset++;
            return _buffer[position];
        }

        Span<byte> value = stackalloc byte[1];
        Read(value);
        return value[0];
    }

    public ushort ReadUInt16()
    {
        Span<byte> value = stackalloc byte[2];
        Read(value);
        return BinaryPrimitives.ReadUInt16LittleEndian(value);
    }

    public int ReadInt32()
    {
        Span<byte> value = stackalloc byte[4];
        Read(value);
        return BinaryPrimitives.ReadInt32LittleEndian(value);
    }

    public long ReadInt64()
    {
        Span<byte> value = stackalloc byte[8];
        Read(value);
        return BinaryPrimitives.ReadInt64LittleEndian(value);
    }

    public double ReadDouble()
    {
        Span<byte> value = stackalloc byte[8];
        Read(value);
        return BinaryPrimitives.ReadDoubleBigEndian(value);
    }

    public byte[] ReadBytes(ulong length)
    {
        CheckLength(length);
        byte[] bytes = new byte[length];
        Read(bytes);
        return bytes;
    }

    public string ReadUtf8(ulong length)
    {
        long offset = Offset;
        byte[] bytes = ReadBytes(length);
        try
        {
            return _utf8.GetString(bytes);
        }
        catch (DecoderFallbackException exception)
        {
            throw Refuse($"a text of {length} bytes at {offset} is not UTF-8", exception);
        }
    }

    public string ReadLatin1(ulong length) => Encoding.Latin1.GetString(ReadBytes(length));

    /// <summary>The bytes up to the next line feed, which is passed over.</summary>
    public string ReadLine()
    {
        var line = new StringBuilder();
        for (byte value = ReadByte(); value != '\n'; value = ReadByte())
        {
            if (line.Length == MaxLineLength)
            {
                throw Refuse($"a line is longer than {MaxLineLength} bytes");
            }

            line.Append((char)value);
        }

        return line.ToString();
    }

    public void CheckLength(ulong length)
    {
        if (length > (ulong)Math.Max(0, Math.Min(source.Length - Offset, MaxPickleBytes)))
        {
            throw Refuse($"a length of {length} bytes is claimed; {Math.Max(0, source.Length - Offset)} are left");
        }
    }

    public LoadRefusedException Refuse(string message, Exception? cause = null) =>
        new(LoadCodes.WeightsCorrupt, Describe(message), cause);

    /// <summary>The refusal of something that a state dict may not do.</summary>
    public LoadRefusedException Forbid(string message) =>
        new(LoadCodes.WeightsUnsafe, Describe($"{message}; nothing of it was executed"));

    private string Describe(string message) => $"{description}: pickle, byte {Offset}: {message}.";

    private void Read(Span<byte> destination)
    {
        if (destination.Length > source.Length - Offset)
        {
            throw Refuse("it ends in the middle, as a file that was cut short does");
        }

        if (Offset + destination.Length - _start > MaxPickleBytes)
        {
            throw Refuse($"it is longer than {MaxPickleBytes} bytes");
        }

        while (!destination.IsEmpty)
        {
            int position = (int)(Offset - _bufferStart);
            if (position >= _bufferLength)
            {
                _bufferStart = Offset;
                _bufferLength = (int)Math.Min(_buffer.Length, source.Length - Offset);
                source.Read(Offset, _buffer.AsSpan(0, _bufferLength));
                position = 0;
            }

            int count = Math.Min(destination.Length, _bufferLength - position);
            _buffer.AsSpan(position, count).CopyTo(destination);
            destination = destination[count..];
            Offset += count;
        }
    }
}
