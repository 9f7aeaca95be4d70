using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Options;

namespace Seq2Seq.Jobs.Webhooks.Tests;

/// <summary>A name whose addresses change from one look to the next, as those of an attacker's own name server do.</summary>
public sealed class WebhookConnectionsTests : IDisposable
{
    private static readonly IPAddress _permitted = IPAddress.Parse("127.0.0.2");
    private static readonly IPAddress _forbidden = IPAddress.Loopback;

    private readonly TcpListener _receiver = new(_permitted, port: 0);
    private readonly TcpListener _secret;
    private readonly Queue<IPAddress[]> _answers = [];
    private readonly HttpClient _client;

    public WebhookConnectionsTests()
    {
        _receiver.Start();
        _secret = new TcpListener(_forbidden, Port);
        _secret.Start();
        var options = Options.Create(new WebhooksOptions { AllowedNetworks = { $"{_permitted}/32" } });
        _client = new WebhookConnections(options, (_, _) => Task.FromResult(_answers.Dequeue())).CreateClient();
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private int Port => ((IPEndPoint)_receiver.LocalEndpoint).Port;

    private Uri Url => new($"http://receiver.example:{Port}/");

    public void Dispose()
    {
        _client.Dispose();
        _receiver.Dispose();
        _secret.Dispose();
    }

    [Fact]
    public async Task A_name_is_asked_for_once_a_connection_and_the_address_that_was_checked_is_the_one_connected_to()
    {
        _answers.Enqueue([_permitted]);
        _answers.Enqueue([_forbidden]);
        var answering = AnswerAsync(_receiver);

        using var first = await _client.GetAsync(Url, Cancellation);
        await answering;
        var second = () => _client.GetAsync(Url, Cancellation);

        first.StatusCode.Should().Be(HttpStatusCode.NoContent);
        _answers.Should().ContainSingle("the connection was made with the first answer alone");
        (await second.Should().ThrowAsync<HttpRequestException>())
            .WithInnerException<WebhookRefusedException>()
            .WithMessage("receiver.example has no address that webhooks may reach without TLS.");
        _secret.Pending().Should().BeFalse();
    }

    [Fact]
    public async Task Of_several_addresses_only_those_that_may_be_reached_are_tried()
    {
        _answers.Enqueue([_forbidden, _permitted]);
        var answering = AnswerAsync(_receiver);

        using var answer = await _client.GetAsync(Url, Cancellation);
        await answering;

        answer.StatusCode.Should().Be(HttpStatusCode.NoContent);
        _secret.Pending().Should().BeFalse();
    }

    private static async Task AnswerAsync(TcpListener listener)
    {
        using var connection = await listener.AcceptTcpClientAsync(Cancellation);
        await using var stream = connection.GetStream();
        using StreamReader request = new(stream, leaveOpen: true);
        while (await request.ReadLineAsync(Cancellation) is { Length: > 0 }) { }

        await stream.WriteAsync(
            Encoding.ASCII.GetBytes("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"),
            Cancellation
        );
    }
}
