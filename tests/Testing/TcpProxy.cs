using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace Seq2Seq.Testing;

/// <summary>
/// Stands between a service and its database, and can fall silent as a network does when a host or a cable is gone: connections
/// stay open on both sides and nothing passes any more, not even that one of them was closed.
/// </summary>
public sealed class TcpProxy : IAsyncDisposable
{
    private readonly Socket _listener = new(SocketType.Stream, ProtocolType.Tcp);
    private readonly EndPoint _target;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new();
    private readonly List<Link> _links = [];
    private readonly Task _accepting;
    private bool _isSilent;

    /// <param name="connectionString">Where the database is, on this machine: by TCP or by its Unix socket.</param>
    public TcpProxy(string connectionString)
    {
        var database = new NpgsqlConnectionStringBuilder(connectionString);
        _target = Path.IsPathRooted(database.Host)
            ? new UnixDomainSocketEndPoint(
                Path.Combine(database.Host, string.Create(CultureInfo.InvariantCulture, $".s.PGSQL.{database.Port}"))
            )
            : new IPEndPoint(IPAddress.Loopback, database.Port);
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    /// <summary>A connection string that leads through this proxy.</summary>
    public string Lead(string connectionString) =>
        new NpgsqlConnectionStringBuilder(connectionString)
        {
            Host = IPAddress.Loopback.ToString(),
            Port = Port,
        }.ConnectionString;

    /// <summary>From now on nothing passes, and new connections are taken without an answer.</summary>
    public void FallSilent()
    {
        lock (_lock)
        {
            _isSilent = true;
            _links.ForEach(link => link.Mute());
        }
    }

    /// <summary>New connections pass again; those that were cut never do.</summary>
    public void Resume()
    {
        lock (_lock)
        {
            _isSilent = false;
        }
    }

    /// <summary>Ends the connections that were cut, as PostgreSQL's own keep-alive would in the end.</summary>
    public int CloseCut()
    {
        lock (_lock)
        {
            List<Link> cut = [.. _links.Where(link => link.IsMute)];
            cut.ForEach(link => link.Dispose());
            _links.RemoveAll(cut.Contains);
            return cut.Count;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting;
        lock (_lock)
        {
            _links.ForEach(link => link.Dispose());
        }

        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            Socket client;
            try
            {
                client = await _listener.AcceptAsync(_stop.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            var link = new Link(client, _target);
            bool mute;
            lock (_lock)
            {
                _links.RemoveAll(old => old.IsOver);
                _links.Add(link);
                mute = _isSilent;
            }

            if (mute)
            {
                link.Mute();
            }

            _ = link.ForwardAsync();
        }
    }

    private sealed class Link(Socket client, EndPoint target) : IDisposable
    {
        private readonly Socket _server = new(
            target.AddressFamily,
            SocketType.Stream,
            target.AddressFamily == AddressFamily.Unix ? ProtocolType.Unspecified : ProtocolType.Tcp
        );
        private readonly CancellationTokenSource _muted = new();

        public bool IsMute => _muted.IsCancellationRequested;

        public bool IsOver { get; private set; }

        public void Mute() => _muted.Cancel();

        public async Task ForwardAsync()
        {
            try
            {
                await _server.ConnectAsync(target, _muted.Token);
                client.NoDelay = true;
                if (_server.ProtocolType == ProtocolType.Tcp)
                {
                    _server.NoDelay = true;
                }

                await Task.WhenAny(PumpAsync(client, _server), PumpAsync(_server, client));
            }
            catch (Exception exception) when (exception is SocketException or OperationCanceledException) { }

            if (!IsMute)
            {
                Dispose();
            }
        }

        public void Dispose()
        {
            IsOver = true;
            client.Dispose();
            _server.Dispose();
        }

        private async Task PumpAsync(Socket from, Socket to)
        {
            byte[] buffer = new byte[64 * 1024];
            try
            {
                while (await from.ReceiveAsync(buffer, _muted.Token) is > 0 and int read)
                {
                    for (int sent = 0; sent < read; )
                    {
                        sent += await to.SendAsync(buffer.AsMemory(sent, read - sent), _muted.Token);
                    }
                }
            }
            catch (Exception exception)
                when (exception is SocketException or OperationCanceledException or ObjectDisposedException)
            {
                // The other pump ends with this one.
            }
        }
    }
}
