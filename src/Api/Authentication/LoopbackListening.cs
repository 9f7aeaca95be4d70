using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace Seq2Seq.Api.Authentication;

/// <summary>
/// Without an API key, refuses every address that is not loopback before it is bound, wherever it was configured. Whether a key was
/// issued is asked before the server binds, which the host starts last of its services.
/// </summary>
internal sealed class LoopbackListening(ApiKeys keys) : IConfigureOptions<KestrelServerOptions>, IHostedService
{
    public void Configure(KestrelServerOptions options) => options.ConfigureEndpointDefaults(Refuse);

    public async Task StartAsync(CancellationToken cancellationToken) => await keys.AnyAsync(cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private void Refuse(ListenOptions listen)
    {
        if (!keys.Any && !LocalConnection.IsLocal(listen.EndPoint))
        {
            throw new ListeningRefusedException(
                $"Listening on {listen} needs an API key, because it is open to other machines. Configure Access:Keys:NAME "
                    + "(environment: Access__Keys__NAME), issue one (seq2seq keys add), or listen on a loopback address such as http://127.0.0.1:5080."
            );
        }
    }
}

/// <summary>The configured address is open to strangers: the operator must configure an API key or another address.</summary>
public sealed class ListeningRefusedException(string message) : Exception(message)
{
    public string Code { get; } = "listening_refused";
}
