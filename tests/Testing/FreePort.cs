using System.Net;
using System.Net.Sockets;

namespace Seq2Seq.Testing;

/// <summary>A TCP port that nobody listens on.</summary>
public static class FreePort
{
    public static int Find()
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
