using System.Net;
using Microsoft.AspNetCore.Connections;

namespace Seq2Seq.Api.Authentication;

/// <summary>What counts as this machine: loopback addresses, Unix sockets and connections inside the process.</summary>
internal static class LocalConnection
{
    public static bool IsLocal(HttpContext context) =>
        context.Connection.RemoteIpAddress is not { } remote || IPAddress.IsLoopback(remote);

    public static bool IsLocal(EndPoint endPoint) =>
        endPoint switch
        {
            IPEndPoint address => IPAddress.IsLoopback(address.Address),
            System.Net.Sockets.UnixDomainSocketEndPoint => true,
            NamedPipeEndPoint => true,
            _ => false,
        };

    /// <summary>Names that a browser resolves to this machine whatever a stranger's name server says.</summary>
    public static bool IsLoopbackName(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host, out IPAddress? address) && IPAddress.IsLoopback(address));
}
