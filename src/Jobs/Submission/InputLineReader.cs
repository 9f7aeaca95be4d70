using System.Globalization;
using System.Runtime.CompilerServices;

namespace Seq2Seq.Jobs.Submission;

/// <summary>
/// Splits a stream into lines that end in LF or CRLF; the last one may end without. Memory is bounded by the longest line
/// that is taken: of a longer one nothing is kept. Lines are not decoded.
/// </summary>
internal static class InputLineReader
{
    // Beyond this a file has no lines: it is not what it was said to be, or a small file that unpacks without end.
    private const int MaxSkippedBytes = 16 * SourceLine.MaxBytes;

    private const int BlockBytes = 64 * 1024;

    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    /// <exception cref="SubmissionException">Compression that can't be undone, or a line of more than 16 MiB.</exception>
    public static async IAsyncEnumerable<InputLine> ReadAsync(
        Stream stream,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        await using var input = await DecompressedInput.OpenAsync(stream, cancellationToken);
        var window = new LineWindow();
        long number = 0;
        while (await window.FillAsync(input, cancellationToken))
        {
            while (window.TryTake(out var line))
            {
                yield return number == 0 ? WithoutByteOrderMark(line) : line;
                number++;
            }

            if (window.Skipped > MaxSkippedBytes)
            {
                throw new SubmissionException(
                    SubmissionCodes.InputMalformed,
                    "input",
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"Line {number + 1} has more than {MaxSkippedBytes} bytes: is this a file of lines?"
                    )
                );
            }
        }

        if (window.TryTakeLast(out var last))
        {
            yield return number == 0 ? WithoutByteOrderMark(last) : last;
        }
    }

    private static InputLine WithoutByteOrderMark(InputLine line) =>
        line.Bytes.Span.StartsWith(ByteOrderMark) ? line with { Bytes = line.Bytes[ByteOrderMark.Length..] } : line;

    /// <summary>The part of the stream that is in memory: the line that is being looked for, and what was read after it.</summary>
    private sealed class LineWindow
    {
        private byte[] _buffer = new byte[BlockBytes];
        private int _start;
        private int _searched;
        private int _end;
        private bool _skipping;

        /// <summary>Bytes of the current line that were dropped.</summary>
        public int Skipped { get; private set; }

        /// <returns>False at the stream's end.</returns>
        public async ValueTask<bool> FillAsync(DecompressedInput input, CancellationToken cancellationToken)
        {
            MakeRoom();
            int read = await input.ReadAsync(_buffer.AsMemory(_end), cancellationToken);
            _end += read;
            return read > 0;
        }

        public bool TryTake(out InputLine line)
        {
            int length = _buffer.AsSpan(_searched, _end - _searched).IndexOf((byte)'\n');
            if (length < 0)
            {
                _searched = _end;
                line = default;
                return false;
            }

            line = Take(_searched + length);
            _start = _searched = _searched + length + 1;
            return true;
        }

        public bool TryTakeLast(out InputLine line)
        {
            bool any = _skipping || _end > _start;
            line = any ? Take(_end) : default;
            return any;
        }

        private InputLine Take(int end)
        {
            bool carriageReturn = end > _start && _buffer[end - 1] == '\r';
            var bytes = _buffer.AsMemory(_start, end - _start - (carriageReturn ? 1 : 0));
            bool tooLong = _skipping || bytes.Length > SourceLine.MaxBytes;
            _skipping = false;
            Skipped = 0;
            return tooLong ? new InputLine(default, TooLong: true) : new InputLine(bytes, TooLong: false);
        }

        private void MakeRoom()
        {
            // One more than the longest line: its carriage return.
            if (_end - _start > SourceLine.MaxBytes + 1 || _skipping)
            {
                _skipping = true;
                Skipped += _end - _start;
                _start = _searched = _end = 0;
            }

            if (_start > 0)
            {
                _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
                _end -= _start;
                _searched -= _start;
                _start = 0;
            }

            if (_end == _buffer.Length)
            {
                Array.Resize(ref _buffer, 2 * _buffer.Length);
            }
        }
    }
}

/// <summary>A line as it stands in the stream, without its end.</summary>
/// <param name="Bytes">Valid until the next line is asked for.</param>
/// <param name="TooLong">The line has more than <see cref="SourceLine.MaxBytes"/> bytes; none are given.</param>
internal readonly record struct InputLine(ReadOnlyMemory<byte> Bytes, bool TooLong);
