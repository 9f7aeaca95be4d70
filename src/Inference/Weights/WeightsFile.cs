using Microsoft.Win32.SafeHandles;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Weights.Torch;

namespace Seq2Seq.Inference.Weights;

/// <summary>An open weights file whose directory was read and checked: what tensors it holds and where.</summary>
internal sealed class WeightsFile : IDisposable
{
    public const string SafetensorsExtension = ".safetensors";

    private const int SniffedBytes = 512;

    private readonly SafeFileHandle _handle;
    private readonly (long Length, DateTime Written) _state;

    private WeightsFile(string name, SafeFileHandle handle)
    {
        Name = name;
        _handle = handle;
        _state = State();
        Tensors = Read(handle, name);
    }

    /// <summary>The path relative to the model folder.</summary>
    public string Name { get; }

    /// <summary>The tensors, names unique, in the order of the file.</summary>
    public IReadOnlyList<StoredTensor> Tensors { get; }

    /// <summary>Opens a file and reads what it holds by the rules of its own format.</summary>
    /// <param name="path">The file.</param>
    /// <param name="name">Its path relative to the model folder, for messages.</param>
    /// <exception cref="LoadRefusedException">It can't be opened, or breaks the rules of the format.</exception>
    public static WeightsFile Open(string path, string name)
    {
        SafeFileHandle handle = RegularFile.Open(path, name);
        try
        {
            return new WeightsFile(name, handle);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>What was read from a file that is being written to is no checkpoint.</summary>
    /// <exception cref="LoadRefusedException">The file was written to since it was opened.</exception>
    public void CheckUnchanged()
    {
        if (State() != _state)
        {
            throw new LoadRefusedException(
                LoadCodes.WeightsUnreadable,
                $"{Name} was changed while it was read: it had {_state.Length} bytes, and now has {State().Length}."
            );
        }
    }

    public void Dispose() => _handle.Dispose();

    private (long Length, DateTime Written) State() =>
        (RandomAccess.GetLength(_handle), File.GetLastWriteTimeUtc(_handle));

    // A .safetensors file promises that no pickle is read; a .bin file is read as what it is.
    private static IReadOnlyList<StoredTensor> Read(SafeFileHandle handle, string name)
    {
        byte[] beginning = new byte[Math.Min(SniffedBytes, RandomAccess.GetLength(handle))];
        new FileBytes(handle, name, 0, beginning.Length).Read(0, beginning);
        bool isSafetensors =
            name.EndsWith(SafetensorsExtension, StringComparison.Ordinal) || SafetensorsReader.Recognizes(beginning);
        if (isSafetensors)
        {
            try
            {
                return SafetensorsReader.Read(handle, name);
            }
            catch (LoadRefusedException exception) when (ForeignContent.Describe(beginning) is { } foreign)
            {
                throw new LoadRefusedException(
                    LoadCodes.WeightsForeign,
                    $"{name} is {foreign}; expected a safetensors file.",
                    exception
                );
            }
        }

        return beginning switch
        {
            [(byte)'P', (byte)'K', ..] => TorchZipReader.Read(handle, name),
            [0x80, ..] => TorchLegacyReader.Read(handle, name),
            _ => throw new LoadRefusedException(
                LoadCodes.WeightsForeign,
                $"{name} is {ForeignContent.Describe(beginning) ?? "none of the formats that are read"}; expected what torch.save writes."
            ),
        };
    }
}
