namespace Seq2Seq.Inference.Tests.Fuzzing;

/// <summary>A folder whose files are links to another's, but for one that is written anew again and again.</summary>
internal sealed class FolderOfLinks : IDisposable
{
    private readonly string _file;
    private readonly string[] _names;

    public FolderOfLinks(string original, string file)
    {
        Path = Directory.CreateTempSubdirectory("fuzz-").FullName;
        _file = System.IO.Path.Join(Path, file);
        Original = File.ReadAllBytes(System.IO.Path.Join(original, file));
        foreach (string other in Directory.EnumerateFiles(original))
        {
            string name = System.IO.Path.GetFileName(other);
            if (name != file)
            {
                File.CreateSymbolicLink(System.IO.Path.Join(Path, name), other);
            }
        }

        File.WriteAllBytes(_file, Original);
        _names = Names();
    }

    public string Path { get; }

    /// <summary>What the one file is in the folder that is linked to.</summary>
    public byte[] Original { get; }

    public void Write(byte[] bytes) => File.WriteAllBytes(_file, bytes);

    /// <summary>Reading a folder leaves nothing behind in it.</summary>
    public void ShouldBeAsItWas() => Names().Should().Equal(_names);

    public void Dispose() => Directory.Delete(Path, recursive: true);

    private string[] Names() =>
        [.. Directory.EnumerateFileSystemEntries(Path, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
}
