namespace Seq2Seq.Inference.Tokenization.Unicode;

/// <summary>The tables that lie beside the code.</summary>
internal static class EmbeddedTable
{
    /// <summary>The lines of a table but its comments.</summary>
    public static IEnumerable<string> Lines(string name)
    {
        using var stream = typeof(EmbeddedTable).Assembly.GetManifestResourceStream(name)!;
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
        {
            if (!line.StartsWith('#'))
                yield return line;
        }
    }
}
