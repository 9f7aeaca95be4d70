using System.Buffers;
using System.IO.Compression;
using System.IO.Pipelines;
using ZstdSharp;
using ZstdSharp.Unsafe;

namespace Seq2Seq.Jobs.Submission;

/// <summary>
/// Undoes gzip (RFC 1952) and Zstandard (RFC 8878), told by the first bytes; anything else passes as it is. Neither magic
/// number can begin a text in UTF-8.
/// </summary>
internal sealed class DecompressedInput : IAsyncDisposable
{
    // 8 MiB: what every level up to 19 is unpacked with. A larger window would be the sender's choice of our memory.
    private const int MaxWindowLog = 23;

    private const int BlockBytes = 64 * 1024;

    private readonly Stream _stream;
    private readonly string? _compression;

    private DecompressedInput(Stream stream, string? compression)
    {
        _stream = stream;
        _compression = compression;
    }

    private static ReadOnlySpan<byte> GzipMagic => [0x1F, 0x8B];

    private static ReadOnlySpan<byte> ZstandardMagic => [0x28, 0xB5, 0x2F, 0xFD];

    /// <param name="stream">Stays open.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public static async Task<DecompressedInput> OpenAsync(Stream stream, CancellationToken cancellationToken)
    {
        var pipe = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: BlockBytes, leaveOpen: true));
        var head = await pipe.ReadAtLeastAsync(ZstandardMagic.Length, cancellationToken);
        bool gzip = StartsWith(head.Buffer, GzipMagic);
        bool zstandard = StartsWith(head.Buffer, ZstandardMagic);
        pipe.AdvanceTo(head.Buffer.Start);
        var whole = pipe.AsStream();
        if (gzip)
        {
            return new DecompressedInput(new GZipStream(whole, CompressionMode.Decompress), "gzip");
        }

        if (!zstandard)
        {
            return new DecompressedInput(whole, compression: null);
        }

        var unpacked = new DecompressionStream(whole, leaveOpen: false);
        unpacked.SetParameter(ZSTD_dParameter.ZSTD_d_windowLogMax, MaxWindowLog);
        return new DecompressedInput(unpacked, "Zstandard");
    }

    /// <returns>How many bytes were read; 0 at the end.</returns>
    /// <exception cref="SubmissionException">The compressed stream is broken or breaks off.</exception>
    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await _stream.ReadAsync(buffer, cancellationToken);
        }
        catch (Exception exception)
            when (_compression is not null && exception is InvalidDataException or ZstdException or EndOfStreamException
            )
        {
            throw new SubmissionException(
                SubmissionCodes.InputMalformed,
                "input",
                $"The input looks like {_compression} but can't be unpacked: {exception.Message}"
            );
        }
    }

    public ValueTask DisposeAsync() => _stream.DisposeAsync();

    private static bool StartsWith(ReadOnlySequence<byte> buffer, ReadOnlySpan<byte> magic)
    {
        if (buffer.Length < magic.Length)
        {
            return false;
        }

        Span<byte> head = stackalloc byte[magic.Length];
        buffer.Slice(0, magic.Length).CopyTo(head);
        return head.SequenceEqual(magic);
    }
}
