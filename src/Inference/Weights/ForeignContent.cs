namespace Seq2Seq.Inference.Weights;

/// <summary>Recognises what a file that is not what its name says is instead, by its first bytes: for messages only.</summary>
internal static class ForeignContent
{
    private const int TarMagicOffset = 257;

    private static readonly (byte[] Prefix, string Description)[] _prefixes =
    [
        ("version https://git-lfs.github.com"u8.ToArray(), "a git-lfs pointer: the file itself was not downloaded"),
        ("<!DOCTYPE"u8.ToArray(), "an HTML page"),
        ("<!doctype"u8.ToArray(), "an HTML page"),
        ("<html"u8.ToArray(), "an HTML page"),
        ("<HTML"u8.ToArray(), "an HTML page"),
        ([0x1F, 0x8B], "a gzip file"),
        ("GGUF"u8.ToArray(), "a GGUF file"),
        ([0x89, (byte)'H', (byte)'D', (byte)'F'], "an HDF5 file"),
        ("PK\u0003\u0004"u8.ToArray(), "a zip archive (as torch.save writes)"),
        ([0x80, 0x02], "a pickle (as torch.save writes)"),
        ([0x80, 0x03], "a pickle"),
        ([0x80, 0x04], "a pickle"),
        ([0x80, 0x05], "a pickle"),
    ];

    /// <summary>Such as "an HTML page"; null when nothing is recognised.</summary>
    public static string? Describe(ReadOnlySpan<byte> beginning)
    {
        ReadOnlySpan<byte> text = beginning.TrimStart(" \t\r\n"u8);
        foreach ((byte[] prefix, string description) in _prefixes)
        {
            if (beginning.StartsWith(prefix) || (prefix[0] == '<' && text.StartsWith(prefix)))
            {
                return description;
            }
        }

        if (beginning.Length >= TarMagicOffset + 5 && beginning[TarMagicOffset..].StartsWith("ustar"u8))
        {
            return "a tar archive (as torch wrote before 0.1.10)";
        }

        return !beginning.IsEmpty && !beginning.ContainsAnyExcept((byte)0) ? "filled with zeros" : null;
    }
}
