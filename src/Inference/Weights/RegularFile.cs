using Microsoft.Win32.SafeHandles;
using Seq2Seq.Inference.Loading;

namespace Seq2Seq.Inference.Weights;

/// <summary>Opens files for reading, and only what can be read by position: no folder, pipe, socket or device.</summary>
internal static class RegularFile
{
    /// <summary>Opens the file at <paramref name="path"/>, which messages call <paramref name="name"/>.</summary>
    /// <exception cref="LoadRefusedException">It is not there, empty, not a regular file, or may not be read.</exception>
    public static SafeFileHandle Open(string path, string name)
    {
        try
        {
            var file = new FileInfo(path);
            if (file.ResolveLinkTarget(returnFinalTarget: true) is { } target)
            {
                if (!target.Exists)
                {
                    throw Refuse($"{name} is a link to '{target.FullName}', which does not exist.");
                }

                file = new FileInfo(target.FullName);
            }

            if (Directory.Exists(file.FullName))
            {
                throw Refuse($"{name} is a folder; expected a file.");
            }

            if (!file.Exists)
            {
                throw Refuse($"{name} does not exist.");
            }

            // Pipes, sockets and devices have no length either, and opening a pipe would wait for its writer.
            return file.Length == 0
                ? throw Refuse($"{name} holds no bytes (or is no regular file).")
                : File.OpenHandle(
                    file.FullName,
                    FileMode.Open,
                    FileAccess.Read,
                    FileShare.ReadWrite | FileShare.Delete
                );
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Refuse($"{name} can't be opened: {exception.Message}", exception);
        }
    }

    private static LoadRefusedException Refuse(string message, Exception? cause = null) =>
        new(LoadCodes.WeightsUnreadable, message, cause);
}
