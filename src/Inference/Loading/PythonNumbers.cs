namespace Seq2Seq.Inference.Loading;

/// <summary>Python's json module writes NaN, Infinity and -Infinity, which JSON lacks: puts them in quotes.</summary>
internal static class PythonNumbers
{
    private static readonly byte[][] _words = ["NaN"u8.ToArray(), "Infinity"u8.ToArray(), "-Infinity"u8.ToArray()];

    /// <summary>Quotes the words that stand outside of texts; false when there is none.</summary>
    public static bool TryQuote(ReadOnlySpan<byte> json, out byte[] quoted)
    {
        var output = new MemoryStream(json.Length + 64);
        bool inText = false;
        bool found = false;
        for (int i = 0; i < json.Length; i++)
        {
            if (!inText && Word(json[i..]) is { } word)
            {
                output.WriteByte((byte)'"');
                output.Write(word);
                output.WriteByte((byte)'"');
                i += word.Length - 1;
                found = true;
                continue;
            }

            if (inText && json[i] == '\\' && i + 1 < json.Length)
            {
                output.WriteByte(json[i++]);
            }
            else if (json[i] == '"')
            {
                inText = !inText;
            }

            output.WriteByte(json[i]);
        }

        quoted = output.ToArray();
        return found;
    }

    private static byte[]? Word(ReadOnlySpan<byte> rest)
    {
        foreach (byte[] word in _words)
        {
            if (rest.StartsWith(word))
            {
                return word;
            }
        }

        return null;
    }
}
