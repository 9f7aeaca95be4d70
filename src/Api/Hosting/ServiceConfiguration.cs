namespace Seq2Seq.Api.Hosting;

/// <summary>
/// Where the configuration comes from, later over earlier: one JSON file (the one beside the program, or the caller's in its
/// place), environment variables (<c>Jobs__ShardLines=500</c>), the command line. Relative paths in it start at the folder of
/// that file.
/// </summary>
internal sealed class ServiceConfiguration
{
    private const string BundledFile = "appsettings.json";

    private ServiceConfiguration(string file) => File = file;

    /// <summary>Full path of the JSON file.</summary>
    public string File { get; }

    /// <summary>Relative paths of the configuration start here.</summary>
    public string Root => Path.GetDirectoryName(File)!;

    /// <param name="file">The caller's file; null for the one beside the program.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public static ServiceConfiguration Find(string? file)
    {
        string path = Path.GetFullPath(file ?? Path.Combine(AppContext.BaseDirectory, BundledFile));
        return System.IO.File.Exists(path)
            ? new ServiceConfiguration(path)
            : throw new FileNotFoundException($"Configuration file '{path}' does not exist.", path);
    }

    /// <summary>Adds the sources but the command line, which is the caller's.</summary>
    /// <exception cref="InvalidDataException">The file is not JSON.</exception>
    public IConfigurationBuilder AddTo(IConfigurationBuilder builder) =>
        builder.SetBasePath(Root).AddJsonFile(File, optional: false).AddEnvironmentVariables();
}
