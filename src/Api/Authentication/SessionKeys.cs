using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.Extensions.Options;

namespace Seq2Seq.Api.Authentication;

/// <summary>
/// Where the keys lie that protect sessions and forms (<see cref="AccessOptions.SessionFolder"/>). Not in the database: of API keys it
/// holds only digests, and who reads a copy of it must not be able to make a session.
/// </summary>
internal static class SessionKeys
{
    // Processes are one service, wherever their files lie.
    private const string Service = "seq2seq";

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    public static IServiceCollection AddSessionKeys(this IServiceCollection services)
    {
        services.AddDataProtection().SetApplicationName(Service);
        services
            .AddOptions<KeyManagementOptions>()
            .Configure<IOptions<AccessOptions>, IHostEnvironment, ILoggerFactory>(
                (keys, access, environment, loggers) =>
                {
                    if (access.Value.SessionFolder is { Length: > 0 } folder)
                    {
                        string path = Path.GetFullPath(folder, environment.ContentRootPath);
                        keys.XmlRepository = new FileSystemXmlRepository(
                            Directory.CreateDirectory(path, OwnerOnly),
                            loggers
                        );
                    }
                }
            );
        return services;
    }
}
