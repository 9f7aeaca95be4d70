using Microsoft.Win32.SafeHandles;
using Seq2Seq.Inference.Loading;

namespace Seq2Seq.Inference.Weights;

/// <summary>An open weights file whose header was read and checked: what tensors it holds and where.</summary>
internal sealed class WeightsFile(string name, SafeFileHandle handle, IReadOnlyList<StoredTensor> tensors) : IDisposable
{
    /// <summary>The path relative to the model folder.</summary>
    public string Name { get; } = name;

    /// <summary>The tensors, names unique, in the order of the file.</summary>
    public IReadOnlyList<StoredTensor> Tensors { get; } = tensors;

    /// <summary>Opens a file and reads what it holds by the rules of its own format.</summary>
    /// <param name="path">The file.</param>
    /// <param name="name">Its path relative to the model folder, for messages.</param>
    /// <exception cref="LoadRefusedException">It can't be opened, or breaks the rules of the format.</exception>
    public static WeightsFile Open(string path, string name)
    {
        SafeFileHandle handle = RegularFile.Open(path, name);
        try
        {
            return new WeightsFile(name, handle, SafetensorsReader.Read(handle, name));
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    public void Dispose() => handle.Dispose();
}
