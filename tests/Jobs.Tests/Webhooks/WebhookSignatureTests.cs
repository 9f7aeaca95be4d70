namespace Seq2Seq.Jobs.Webhooks.Tests;

public sealed class WebhookSignatureTests
{
    // The example of the reference implementations.
    private const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    [Fact]
    public void Messages_are_signed_as_the_standard_says()
    {
        WebhookSignature
            .Sign(
                Secret,
                "msg_p5jXN8AQM9LWM0D4loKWxJek",
                DateTimeOffset.FromUnixTimeSeconds(1614265330),
                "{\"test\": 2432232314}"
            )
            .Should()
            .Be("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    [Theory]
    [InlineData(Secret, true)]
    [InlineData("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", false)]
    [InlineData("whsec_", false)]
    [InlineData("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa==", false)]
    [InlineData("whsec_not base64 at all, whatever it says", false)]
    [InlineData("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", false)]
    public void A_secret_has_its_prefix_and_at_least_24_bytes(string text, bool expected)
    {
        WebhookSignature.IsSecret(text).Should().Be(expected);
    }

    [Theory]
    [InlineData(64, true)]
    [InlineData(65, false)]
    public void A_secret_has_at_most_64_bytes(int bytes, bool expected)
    {
        WebhookSignature.IsSecret($"whsec_{Convert.ToBase64String(new byte[bytes])}").Should().Be(expected);
    }
}
