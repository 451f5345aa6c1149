using System.Net;
using Microsoft.AspNetCore.Http;
using ResilientHosting.Reloading;

namespace ResilientHosting.Tests.Reloading;

public sealed class DevAccessTests
{
    [Theory]
    [InlineData("127.0.0.1", "localhost:5080", null, true)]
    [InlineData("127.0.0.2", "127.0.0.1", null, true)]
    [InlineData("::1", "[::1]:5080", null, true)]
    [InlineData("::ffff:127.0.0.1", "shop.localhost", null, true)]
    [InlineData(null, "localhost", null, true)]
    [InlineData("127.0.0.1", "localhost", "127.0.0.1", true)]
    [InlineData("192.0.2.7", "localhost", null, false)]
    [InlineData("::ffff:192.0.2.7", "localhost", null, false)]
    [InlineData("127.0.0.1", "localhost", "192.0.2.7", false)]
    [InlineData("127.0.0.1", "localhost", "127.0.0.1, 192.0.2.7", false)]
    [InlineData("127.0.0.1", "localhost", "unknown", false)]
    [InlineData("127.0.0.1", "attacker.example", null, false)]
    [InlineData("127.0.0.1", "localhost.attacker.example", null, false)]
    [InlineData("127.0.0.1", "localhost.", null, false)]
    public void Read_ByDefault_IsForThisMachineUnderItsOwnNames(string? address, string host, string? forwardedFor, bool isAllowed) =>
        Assert.Equal(isAllowed, DevAccess.WhyMayNotRead(Request(address, host, forwardedFor), new DevReloaderOptions()) is null);

    [Fact]
    public void Read_OfAStandardForwardedHeader_IsRefused()
    {
        var request = Request("127.0.0.1", "localhost");
        request.Request.Headers["Forwarded"] = "for=127.0.0.1";

        Assert.Contains(nameof(DevReloaderOptions.AllowRemoteAccess), DevAccess.WhyMayNotRead(request, new DevReloaderOptions()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("192.0.2.7", "192.0.2.1:5080", true)]
    [InlineData("192.0.2.7", "SHOP.test:5080", true)]
    [InlineData("192.0.2.7", "attacker.example", false)]
    public void Read_WithRemoteAccess_StillNeedsAnAddressOrAnAllowedName(string address, string host, bool isAllowed)
    {
        var options = new DevReloaderOptions { AllowRemoteAccess = true, AllowedHosts = { "shop.test" } };

        Assert.Equal(isAllowed, DevAccess.WhyMayNotRead(Request(address, host, "192.0.2.9"), options) is null);
    }

    [Theory]
    [InlineData(null, true)]
    [InlineData("http://localhost:5080", true)]
    [InlineData("https://localhost:5080", true)]
    [InlineData("http://localhost:5081", false)]
    [InlineData("https://attacker.example", false)]
    [InlineData("null", false)]
    public void Read_ByAPage_IsForItsOwnOrigin(string? origin, bool isAllowed)
    {
        var request = Request("127.0.0.1", "localhost:5080");
        request.Request.Headers.Origin = origin;

        Assert.Equal(isAllowed, DevAccess.WhyMayNotRead(request, new DevReloaderOptions()) is null);
    }

    [Theory]
    [InlineData(null, null, true)]
    [InlineData("http://localhost:5080", "same-origin", true)]
    [InlineData(null, "none", true)]
    [InlineData("http://localhost:5081", null, false)]
    [InlineData("https://localhost:5080", null, true)]
    [InlineData("null", null, false)]
    [InlineData("http://attacker.example", "cross-site", false)]
    [InlineData(null, "same-site", false)]
    public void Steer_WithTheToken_IsForTheSameOrigin(string? origin, string? site, bool isAllowed)
    {
        var access = new DevAccess();
        var request = Request("127.0.0.1", "localhost:5080");
        request.Request.Headers[DevReloaderHeaders.Token] = access.Token;
        request.Request.Headers.Origin = origin;
        request.Request.Headers["Sec-Fetch-Site"] = site;

        Assert.Equal(isAllowed, access.WhyMayNotSteer(request) is null);
    }

    [Fact]
    public void Steer_WithoutTheToken_SaysWhereItIs()
    {
        var access = new DevAccess();
        var request = Request("127.0.0.1", "localhost");

        foreach (var token in (string[])["", "x", new DevAccess().Token, access.Token + "0", access.Token[1..]])
        {
            request.Request.Headers[DevReloaderHeaders.Token] = token;
            Assert.Contains("GET /_dev/status", access.WhyMayNotSteer(request), StringComparison.Ordinal);
        }
    }

    private static DefaultHttpContext Request(string? address, string host, string? forwardedFor = null)
    {
        var context = new DefaultHttpContext();
        context.Connection.RemoteIpAddress = address is null ? null : IPAddress.Parse(address);
        context.Request.Scheme = "http";
        context.Request.Host = new HostString(host);
        if (forwardedFor is not null)
        {
            context.Request.Headers["X-Forwarded-For"] = forwardedFor;
        }

        return context;
    }
}
