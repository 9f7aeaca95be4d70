using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace Seq2Seq.Api.Authentication;

/// <summary>Without an API key, refuses every address that is not loopback before it is bound, wherever it was configured.</summary>
internal sealed class LoopbackListening(IOptions<AccessOptions> access) : IConfigureOptions<KestrelServerOptions>
{
    public void Configure(KestrelServerOptions options)
    {
        if (!access.Value.HasKeys)
        {
            options.ConfigureEndpointDefaults(Refuse);
        }
    }

    private static void Refuse(ListenOptions listen)
    {
        if (!LocalConnection.IsLocal(listen.EndPoint))
        {
            throw new ListeningRefusedException(
                $"Listening on {listen} needs an API key, because it is open to other machines. Configure Access:Keys:NAME "
                    + "(environment: Access__Keys__NAME), or listen on a loopback address such as http://127.0.0.1:5080."
            );
        }
    }
}

/// <summary>The configured address is open to strangers: the operator must configure an API key or another address.</summary>
public sealed class ListeningRefusedException(string message) : Exception(message)
{
    public string Code { get; } = "listening_refused";
}
