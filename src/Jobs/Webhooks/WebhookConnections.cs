using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Options;

namespace Seq2Seq.Jobs.Webhooks;

/// <summary>
/// How webhooks leave this machine. An address is checked after the name was resolved and right where the socket connects, so
/// that a name can't mean one thing to the check and another to the connection; redirects and proxies, which would lead
/// around it, are off.
/// </summary>
internal sealed class WebhookConnections
{
    private const int MaxHeadersKilobytes = 16;

    private readonly IPNetwork[] _allowed;
    private readonly TimeSpan _timeout;
    private readonly Func<string, CancellationToken, Task<IPAddress[]>> _resolve;

    public WebhookConnections(IOptions<WebhooksOptions> options)
        : this(options, Dns.GetHostAddressesAsync) { }

    /// <param name="options">Where webhooks may go.</param>
    /// <param name="resolve">Finds a name's addresses.</param>
    internal WebhookConnections(
        IOptions<WebhooksOptions> options,
        Func<string, CancellationToken, Task<IPAddress[]>> resolve
    )
    {
        _resolve = resolve;
        _allowed = [.. options.Value.AllowedNetworks.Select(IPNetwork.Parse)];
        _timeout = options.Value.Timeout;
    }

    /// <summary>Whether there is any network where <c>http</c> will do.</summary>
    public bool AllowsUnencrypted => _allowed.Length > 0;

    public HttpClient CreateClient()
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            ConnectTimeout = _timeout,
            MaxResponseHeadersLength = MaxHeadersKilobytes,
            // Names move: resolve again now and then.
            PooledConnectionLifetime = TimeSpan.FromMinutes(2),
            ConnectCallback = ConnectAsync,
        };
        return new HttpClient(handler) { Timeout = _timeout };
    }

    private async ValueTask<Stream> ConnectAsync(
        SocketsHttpConnectionContext context,
        CancellationToken cancellationToken
    )
    {
        var endPoint = context.DnsEndPoint;
        bool encrypted = context.InitialRequestMessage.RequestUri?.Scheme == Uri.UriSchemeHttps;
        IPAddress[] found = await _resolve(endPoint.Host, cancellationToken);
        IPAddress[] permitted = [.. found.Where(address => IsPermitted(address, encrypted))];
        if (permitted.Length == 0)
        {
            throw new WebhookRefusedException(
                $"{endPoint.Host} has no address that webhooks may reach{(encrypted ? "" : " without TLS")}."
            );
        }

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(permitted, endPoint.Port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Public addresses by TLS; allowed networks by whatever protocol.</summary>
    public bool IsPermitted(IPAddress address, bool encrypted)
    {
        if (address.IsIPv4MappedToIPv6)
        {
            address = address.MapToIPv4();
        }

        return Array.Exists(_allowed, network => network.Contains(address))
            || (encrypted && PublicAddress.IsPublic(address));
    }
}

/// <summary>A webhook's address is not one that this service may reach: the caller must name another.</summary>
internal sealed class WebhookRefusedException(string message) : Exception(message);
