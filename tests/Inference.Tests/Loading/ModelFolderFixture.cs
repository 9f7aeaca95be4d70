namespace Seq2Seq.Inference.Tests.Loading;

/// <summary>A model folder of a test's own, removed afterwards.</summary>
internal sealed class ModelFolderFixture : IDisposable
{
    public ModelFolderFixture() => Directory.CreateDirectory(Folder);

    public string Folder { get; } = Path.Join(Path.GetTempPath(), $"model-{Guid.NewGuid():n}");

    public ModelFolderFixture Write(string name, byte[] bytes)
    {
        string path = Path.Join(Folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, bytes);
        return this;
    }

    public ModelFolderFixture Write(string name, string text) => Write(name, System.Text.Encoding.UTF8.GetBytes(text));

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
