namespace Seq2Seq.Api.CommandLine;

/// <summary>The model folder of a command line.</summary>
internal static class ModelFolder
{
    /// <summary>The folder itself, when it is one: a command fails here, before any work.</summary>
    public static string Existing(string folder) =>
        Directory.Exists(folder) ? folder
        : File.Exists(folder) ? throw new CommandException($"'{folder}' is a file; expected a model folder.")
        : throw new CommandException($"Model folder '{folder}' does not exist.");

    /// <summary>A model without a configured name is called as its folder is.</summary>
    public static string NameOf(string folder) =>
        Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));
}
