using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using ResilientHosting.Reloading;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

/// <summary>What strangers, and requests that nobody means, get from a real server.</summary>
public sealed class EndpointSafetyTests : IAsyncLifetime
{
    private const string Secret = "secret-of-the-developer";

    private readonly FakeReloader _reloader = new();
    private ServedEndpoints _served = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string, string> Everything { get; } = new()
    {
        { "GET", "/_dev" }, { "GET", "/_dev/" }, { "GET", "/_dev/page.html" }, { "GET", "/_dev/page.js" }, { "GET", "/_dev/client.js" },
        { "GET", "/_dev/overlay.js" }, { "GET", "/_dev/status" }, { "GET", "/_dev/wait?after=0" }, { "GET", "/_dev/events" }, { "GET", "/_dev/unknown" },
        { "POST", "/_dev/reload" }, { "POST", "/_dev/pause" }, { "POST", "/_dev/resume" },
    };

    public async ValueTask InitializeAsync()
    {
        var status = new ReloadStatus(TimeProvider.System);
        status.Change(now => now with
        {
            Generation = 1,
            Phase = ReloadPhase.Watching,
            Failure = ServedEndpoints.FailureCalled(Secret),
        });
        _served = await ServedEndpoints.StartAsync(status, _reloader, () => ServedEndpoints.NothingLive with { Application = Secret });
    }

    public ValueTask DisposeAsync() => _served.DisposeAsync();

    [Theory]
    [MemberData(nameof(Everything))]
    public async Task Strangers_AreRefusedEverywhere(string method, string path)
    {
        var token = await TokenAsync();
        foreach (var (name, value) in ((string, string)[])[("Host", "attacker.example"), ("Origin", "http://attacker.example"), ("Origin", "null"), ("X-Forwarded-For", "192.0.2.7")])
        {
            using var answer = await SendAsync(method, path, (name, value), (DevReloaderHeaders.Token, token));

            Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
            Assert.Equal("text/plain", answer.Content.Headers.ContentType?.MediaType);
            var text = await answer.Content.ReadAsStringAsync(Token);
            Assert.DoesNotContain(Secret, text, StringComparison.Ordinal);
            Assert.DoesNotContain(token, text, StringComparison.Ordinal);
        }

        Assert.Empty(_reloader.Calls);
    }

    [Theory]
    [MemberData(nameof(Everything))]
    public async Task Answers_AreNeitherKeptNorFramedNorGuessedAt_AndTheTokenIsInTheStatusAlone(string method, string path)
    {
        var token = await TokenAsync();
        using var answer = await SendAsync(method, path);

        Assert.True(answer.Headers.CacheControl?.NoStore);
        Assert.Equal("nosniff", Header("X-Content-Type-Options"));
        Assert.Equal("DENY", Header("X-Frame-Options"));
        Assert.Equal("no-referrer", Header("Referrer-Policy"));
        Assert.Equal("same-origin", Header("Cross-Origin-Resource-Policy"));
        Assert.Contains("frame-ancestors 'none'", Header("Content-Security-Policy"), StringComparison.Ordinal);
        Assert.Contains("default-src 'none'", Header("Content-Security-Policy"), StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", Header("Content-Security-Policy"), StringComparison.Ordinal);
        Assert.False(answer.Headers.Contains("Access-Control-Allow-Origin"));
        Assert.Equal(method == "POST" ? HttpStatusCode.Forbidden : answer.StatusCode, answer.StatusCode);
        Assert.Empty(_reloader.Calls);
        if (path != "/_dev/events")
        {
            var isStatus = path.StartsWith("/_dev/status", StringComparison.Ordinal) || path.StartsWith("/_dev/wait", StringComparison.Ordinal);
            Assert.Equal(isStatus, (await answer.Content.ReadAsStringAsync(Token)).Contains(token, StringComparison.Ordinal));
        }

        string Header(string name) => Assert.Single(answer.Headers.TryGetValues(name, out var values) ? values : answer.Content.Headers.GetValues(name));
    }

    [Theory]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("00000000000000000000000000000000")]
    public async Task Steering_WithAnotherToken_IsRefused(string token)
    {
        foreach (var path in (string[])["/_dev/reload", "/_dev/pause", "/_dev/resume"])
        {
            using var answer = await SendAsync("POST", path, (DevReloaderHeaders.Token, token));
            Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        }

        Assert.Empty(_reloader.Calls);
    }

    [Fact]
    public async Task RandomRequests_AreNeverAnErrorOfTheServer_AndTellStrangersNothing()
    {
        const int Seed = 20_261_122;
        var random = new Random(Seed);
        for (var i = 0; i < 1_000; i++)
        {
            var isStranger = random.Next(2) == 0;
            var request = RandomRequest(random, isStranger);
            await using var client = await RawHttpClient.ConnectAsync(_served.Address);
            await client.SendAsync(request);
            var head = await client.ReadUntilAsync("\r\n\r\n");

            var what = $"Seed {Seed}, request {i}:\n{request}\nwas answered with\n{head}";
            var code = int.Parse(head.AsSpan("HTTP/1.1 ".Length, 3), CultureInfo.InvariantCulture);
            Assert.True(code < 500, what);
            Assert.True(!isStranger || code is 400 or 403 or 414 or 431, what);
            Assert.False(isStranger && head.Contains(Secret, StringComparison.Ordinal), what);
        }

        Assert.Empty(_reloader.Calls);
    }

    private static string RandomRequest(Random random, bool isStranger)
    {
        string[] methods = ["GET", "GET", "GET", "POST", "HEAD", "PUT", "OPTIONS", "DELETE", "PATCH", "TRACE", "get", Junk(1, 12, "ABCxyz!#$%&'*+-.^_`|~")];
        string[] paths =
        [
            "", "/", "/status", "/events", "/wait?after=0", "/wait?after=0&timeout=1", "/reload", "/pause", "/resume", "/page.js", "/client.js",
            "//", "/./status", "/../_dev/status", "/%2e%2e/status", "/status/", "/status%00", "/STATUS", "/%", "/%zz", "/%ff%fe", "/" + Junk(1, 60),
            "/" + new string('a', 3_000), "/status?" + Junk(0, 60), "/wait?after=" + Junk(1, 9), "/wait?after=0&timeout=" + Junk(1, 9, "0123456789-."),
        ];
        string[] strange = ["Host: attacker.example", "Host: localhost\r\nOrigin: http://attacker.example", "Host: localhost\r\nX-Forwarded-For: 192.0.2.7", "Host: localhost\r\nForwarded: for=x"];
        string[] usual = ["Host: localhost", "Host: 127.0.0.1:1", "Host: shop.localhost", "Host: [::1]"];
        var request = new StringBuilder()
            .Append(CultureInfo.InvariantCulture, $"{Pick(methods)} /_dev{Pick(paths)} HTTP/1.1\r\n{Pick(isStranger ? strange : usual)}\r\n");
        string[] names = ["Accept", "Cookie", "Content-Type", "Last-Event-ID", "If-None-Match", "Range", "Sec-Fetch-Site", DevReloaderHeaders.Token, "X-" + Junk(1, 8, "abcXYZ-")];
        for (var header = random.Next(5); header > 0; header--)
        {
            request.Append(CultureInfo.InvariantCulture, $"{Pick(names)}: {Junk(0, 40)}\r\n");
        }

        return request.Append("Connection: close\r\n\r\n").ToString();

        string Pick(string[] from) => from[random.Next(from.Length)];

        // What may be in a path, a query and a header, and some that may not.
        string Junk(int min, int max, string letters = "abcXYZ019/?&=%.;:<>\"'{}\\^`|~[]@!$()*+,-_")
        {
            var junk = new char[random.Next(min, max)];
            for (var i = 0; i < junk.Length; i++)
            {
                junk[i] = letters[random.Next(letters.Length)];
            }

            return new string(junk);
        }
    }

    private async Task<string> TokenAsync()
    {
        using var json = JsonDocument.Parse(await _served.Client.GetStringAsync("/_dev/status", Token));
        return json.RootElement.GetProperty("token").GetString()!;
    }

    private async Task<HttpResponseMessage> SendAsync(string method, string path, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return await _served.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Token).WaitAsync(KestrelTestHost.Timeout, Token);
    }
}
