using System.Globalization;
using System.Net;
using System.Net.WebSockets;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

/// <summary>What becomes of requests that are under way for longer than anybody wants to wait for a swap.</summary>
[Collection(nameof(ReloaderProcesses))]
public sealed class LongRequestTests(ReloadableProject project)
{
    private const int BlockSize = 64 * 1024;
    private const int Blocks = 1024;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task EveryKind_DuringASwap_IsCutAndNamed(string version)
    {
        await using var app = await StartAsync(version);
        using var client = CreateClient(app, version);
        using var stream = await client.GetAsync("/stream", HttpCompletionOption.ResponseHeadersRead, Token);
        using var download = await client.GetAsync("/download/100000", HttpCompletionOption.ResponseHeadersRead, Token);
        using var socket = await ConnectAsync(app, version);
        Task<HttpResponseMessage> poll = null!, upload = null!;
        await app.ExpectAsync("application: polled", () => poll = client.GetAsync("/poll", Token));
        await app.ExpectAsync("application: receiving", () => upload = client.PostAsync("/upload", new EndlessContent(), Token));

        var mark = app.Console.Count;
        var swapped = await app.ExpectAsync("-> generation", () => project.EditGreeting("original", "edited"));
        var cut = await app.Console.WaitForAsync("dev reloader: cut ", mark);

        Assert.EndsWith(", 5 cut", swapped, StringComparison.Ordinal);
        var socketMethod = version == "1.1" ? "GET" : "CONNECT";
        string[] expected =
        [
            "GET /stream (event stream)", $"{socketMethod} /socket (WebSocket)", "GET /poll (no answer yet)",
            "GET /download/100000 (answer under way)", "POST /upload (no answer yet)",
        ];
        Assert.All(expected, request => Assert.Contains(request, cut, StringComparison.Ordinal));
        await Assert.ThrowsAnyAsync<IOException>(async () => await ReadAsync(await stream.Content.ReadAsStreamAsync(Token)));
        await Assert.ThrowsAnyAsync<IOException>(async () => await ReadAsync(await download.Content.ReadAsStreamAsync(Token)));
        await Assert.ThrowsAsync<WebSocketException>(() => socket.ReceiveAsync(new byte[1], Token));
        await Assert.ThrowsAsync<HttpRequestException>(() => poll);
        await Assert.ThrowsAsync<HttpRequestException>(() => upload);

        // Whoever was cut comes back, and finds the next generation.
        using var again = await ConnectAsync(app, version);
        Assert.Equal("edited", await client.GetStringAsync("/", Token));
        var history = await client.GetStringAsync("/reloader/history", Token);
        Assert.All(expected, request => Assert.Contains(request, history, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task TransfersWithinTheDrain_DuringASwap_AreComplete(string version)
    {
        await using var app = await StartAsync(version, "--DevReloader:DrainTimeout=00:01:00");
        using var client = CreateClient(app, version);
        using var download = await client.GetAsync($"/download/{Blocks}", HttpCompletionOption.ResponseHeadersRead, Token);
        using var content = new GatedContent(Blocks);
        Task<HttpResponseMessage> upload = null!;
        await app.ExpectAsync("application: receiving", () => upload = client.PostAsync("/upload", content, Token));

        var mark = app.Console.Count;
        await app.ExpectAsync("application: stopping", () => project.EditGreeting("original", "edited"));
        content.Open();
        var sum = await ReadAsync(await download.Content.ReadAsStreamAsync(Token));
        using var answer = await upload;

        Assert.DoesNotContain(" cut", await app.Console.WaitForAsync("-> generation", mark), StringComparison.Ordinal);
        Assert.Equal(GatedContent.SumOf(Blocks), sum);
        Assert.Equal(string.Create(CultureInfo.InvariantCulture, $"{GatedContent.SumOf(Blocks)}"), await answer.Content.ReadAsStringAsync(Token));
        Assert.All(new[] { download, answer }, response => Assert.Equal("0", Assert.Single(response.Headers.GetValues(ReloadableApp.Generation))));
    }

    private Task<ReloadableApp> StartAsync(string version, params string[] arguments) => ReloadableApp.StartAsync(
        project, [$"--Kestrel:EndpointDefaults:Protocols={(version == "1.1" ? "Http1" : "Http2")}", .. arguments]);

    private static HttpClient CreateClient(ReloadableApp app, string version) => new()
    {
        BaseAddress = app.Address,
        Timeout = ConsoleLines.Timeout,
        DefaultRequestVersion = Version.Parse(version),
        DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
    };

    private static async Task<ClientWebSocket> ConnectAsync(ReloadableApp app, string version)
    {
        var socket = new ClientWebSocket
        {
            Options = { HttpVersion = Version.Parse(version), HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact },
        };
        using var invoker = new HttpMessageInvoker(new SocketsHttpHandler(), disposeHandler: false);
        await socket.ConnectAsync(new UriBuilder(app.Address) { Scheme = "ws", Path = "/socket" }.Uri, invoker, Token);
        var hello = new byte["hello".Length];
        await socket.ReceiveAsync(hello, Token);
        Assert.Equal("hello"u8.ToArray(), hello);
        return socket;
    }

    /// <summary>Reads to the end.</summary>
    /// <returns>The sum of all bytes.</returns>
    private static async Task<long> ReadAsync(Stream body)
    {
        var block = new byte[BlockSize];
        var sum = 0L;
        while (await body.ReadAsync(block, Token) is > 0 and var length)
        {
            sum += block.Take(length).Sum(value => (long)value);
        }

        return sum;
    }

    /// <summary>A body that never ends.</summary>
    private sealed class EndlessContent : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
            SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            while (true)
            {
                await stream.WriteAsync(new byte[BlockSize], cancellationToken);
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }

    /// <summary>A body whose first block comes at once, and the rest when the gate is opened.</summary>
    private sealed class GatedContent(int blocks) : HttpContent
    {
        private readonly TaskCompletionSource _gate = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public static long SumOf(int blocks) => Enumerable.Range(0, blocks).Sum(block => (long)(byte)block * BlockSize);

        public void Open() => _gate.TrySetResult();

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            for (var block = 0; block < blocks; block++)
            {
                await stream.WriteAsync(Enumerable.Repeat((byte)block, BlockSize).ToArray());
                if (block == 0)
                {
                    await stream.FlushAsync();
                    await _gate.Task.WaitAsync(ConsoleLines.Timeout);
                }
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = (long)blocks * BlockSize;
            return true;
        }
    }
}
