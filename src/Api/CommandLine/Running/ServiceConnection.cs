using Seq2Seq.Api.CommandLine.Server;
using Seq2Seq.Api.Hosting;

namespace Seq2Seq.Api.CommandLine.Running;

/// <summary>The service that a run uses: the one that was named, the one that runs here, or an own one for as long as it takes.</summary>
internal sealed class ServiceConnection : IAsyncDisposable
{
    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(2);

    private readonly ServiceHost? _own;

    private ServiceConnection(ServiceClient service, ServiceHost? own)
    {
        Service = service;
        _own = own;
    }

    public ServiceClient Service { get; }

    public static async Task<ServiceConnection> OpenAsync(
        string? server,
        string? apiKey,
        ServiceSettings settings,
        CancellationToken cancellationToken
    )
    {
        var client = ServiceClient.Connect(server ?? ServiceHost.UsualUrls, apiKey);
        if (await client.IsAliveAsync(ProbeTimeout, cancellationToken))
        {
            return new ServiceConnection(client, own: null);
        }

        Uri address = client.Address;
        client.Dispose();
        if (server is not null)
        {
            throw new CommandException($"No service answers on {address}.");
        }

        await Console.Error.WriteLineAsync("seq2seq: no service runs here; starting one for this run …");
        ServiceHost own = await ServiceHost.StartAsync(
            settings with
            {
                Urls = "http://127.0.0.1:0",
                Quiet = true,
            },
            cancellationToken
        );
        return new ServiceConnection(ServiceClient.Connect(own.Addresses.First(), apiKey), own);
    }

    public async ValueTask DisposeAsync()
    {
        Service.Dispose();
        if (_own is not null)
        {
            await _own.DisposeAsync();
        }
    }
}
