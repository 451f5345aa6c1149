using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Aborts;

/// <summary>Clients that do worse than leave. The server stays quiet and healthy, and no request leaves anything behind.</summary>
public sealed class AbusiveClientTests
{
    private const int Seed = 20260412;

    private readonly AbortTestApp _app = new();

    [Theory]
    [InlineData(Protocol.Http1)]
    [InlineData(Protocol.Http1OverTls)]
    [InlineData(Protocol.Http2)]
    public async Task HalfClose_WhileTheServerComputes_EndsTheWork(Protocol protocol)
    {
        await using var host = await StartAsync(protocol);
        await using (var client = await LeavingClient.ConnectAsync(host.Address, protocol))
        {
            await client.SendGetAsync("/compute?id=half");
            await _app.Gates.ArrivedAsync("half");
            client.HalfClose();
            await _app.Gates.EndedAsync("half");
        }

        await AssertHealthyAsync(host);
        Assert.Equal("created 1, torn down: Aborted", _app.Resources.StoryOf("half"));
    }

    [Theory]
    [InlineData(Departure.Fin)]
    [InlineData(Departure.Rst)]
    public async Task PipelinedRequests_ClientLeavesDuringTheFirst_OthersLeaveNothingBehind(Departure departure)
    {
        await using var host = await StartAsync(Protocol.Http1);
        await using (var client = await RawHttpClient.ConnectAsync(host.Address))
        {
            await client.SendAsync(string.Concat(Enumerable.Range(1, 3).Select(number =>
                $"GET /compute?id={number} HTTP/1.1\r\nHost: localhost\r\n\r\n")));
            await _app.Gates.ArrivedAsync("1");
            client.Leave(departure);
            await _app.Gates.EndedAsync("1");
        }

        await AssertHealthyAsync(host);
        AssertAbortedAndTornDownOnce();
    }

    [Theory]
    [InlineData(Protocol.Http1OverTls, Departure.Fin)]
    [InlineData(Protocol.Http1OverTls, Departure.Rst)]
    [InlineData(Protocol.Http2OverTls, Departure.Fin)]
    [InlineData(Protocol.Http2OverTls, Departure.Rst)]
    public async Task Leaving_InTheMiddleOfATlsRecord_IsAnAbort(Protocol protocol, Departure departure)
    {
        await using var host = await StartAsync(protocol);
        await using (var client = await LeavingClient.ConnectAsync(host.Address, protocol))
        {
            await client.SendPostAsync("/raw?id=cut", 1000, "half", "text/plain");
            await _app.Gates.ArrivedAsync("cut");

            // The head of a record of application data that announces 256 bytes, and four of them.
            await client.SendBeneathAsync(new byte[] { 0x17, 0x03, 0x03, 0x01, 0x00, 1, 2, 3, 4 });
            client.Leave(departure);
            await _app.Gates.EndedAsync("cut");
        }

        await AssertHealthyAsync(host);
        Assert.Equal("created 1, torn down: Aborted", _app.Resources.StoryOf("cut"));
        Assert.Equal([499], AccessRecord.Statuses(host.Logs, "/raw"));
    }

    [Theory]
    [InlineData(Protocol.Http1)]
    [InlineData(Protocol.Http1OverTls)]
    [InlineData(Protocol.Http2)]
    [InlineData(Protocol.Http2OverTls)]
    public async Task Garbage_InsteadOfARequest_NeverReachesTheApplication(Protocol protocol)
    {
        var random = new Random(Seed);
        await using var host = await StartAsync(protocol);
        for (var attempt = 0; attempt < 20; attempt++)
        {
            var garbage = new byte[random.Next(1, 2000)];
            random.NextBytes(garbage);
            await using var client = await LeavingClient.ConnectAsync(host.Address, protocol);
            await client.SendBeneathAsync(garbage);
            client.Leave(attempt % 2 == 0 ? Departure.Fin : Departure.Rst);
        }

        await AssertHealthyAsync(host);
    }

    [Fact]
    public async Task Garbage_InsteadOfATlsHandshake_NeverReachesTheApplication()
    {
        await using var host = await StartAsync(Protocol.Http1OverTls);
        var clearText = new UriBuilder(host.Address) { Scheme = Uri.UriSchemeHttp }.Uri;
        await using (var client = await RawHttpClient.ConnectAsync(clearText))
        {
            await client.SendAsync("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
            await client.ReadToEndAsync();
        }

        await AssertHealthyAsync(host);
    }

    /// <summary>
    /// Kestrel's own defence ends such a connection. Now and then (10.0.12, with the tolerance and without) it keeps what it has ended until
    /// the host stops, with no request left in it: so the requests are waited for, not the connection, and the stop has little patience.
    /// </summary>
    [Theory]
    [InlineData(Protocol.Http2)]
    [InlineData(Protocol.Http2OverTls)]
    public async Task RapidResets_OnOneConnection_TearDownWhatTheyReached(Protocol protocol)
    {
        const int streams = 400;
        await using var host = await StartAsync(protocol, builder =>
            builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(1)));

        // The defence calls itself critical, and so does what the stop finds of the connection.
        host.Logs.Expect("Http2QueueOperationsExceeded").Expect("ApplicationNeverCompleted");
        await using (var client = await RawHttp2Client.ConnectAsync(host.Address))
        {
            await client.SendGetAsync("/compute?id=neighbour");
            await _app.Gates.ArrivedAsync("neighbour");
            try
            {
                await client.SendRapidResetsAsync(Enumerable.Range(0, streams).Select(number => $"/compute?id={number}"));
                client.HalfClose();
                await client.ReadToEndAsync();
            }
            catch (Exception exception) when (exception is IOException or SocketException)
            {
                // The server's defence may end the connection while the client is still writing.
            }
        }

        // What is served now comes after all that the server had queued of the connection.
        await _app.Gates.EndedAsync("neighbour");
        Assert.Equal("healthy", await host.Client.GetStringAsync("/health", TestContext.Current.CancellationToken));
        foreach (var id in _app.Resources.Ids)
        {
            await _app.Gates.EndedAsync(id);
        }

        await AssertHealthyAsync(host);
        Assert.Equal("created 1, torn down: Aborted", _app.Resources.StoryOf("neighbour"));
        AssertAbortedAndTornDownOnce();
        var recorded = host.Logs.Lines.Count(line => line.Event.Name == "ClientAborted");
        Assert.Equal(Enumerable.Repeat(499, recorded), AccessRecord.Statuses(host.Logs, "/compute"));
    }

    /// <summary>Of whatever has got far enough to hold something. A request whose client has left before it starts never does.</summary>
    private void AssertAbortedAndTornDownOnce() => Assert.All(
        _app.Resources.Ids.Where(id => id.Length > 0),
        id => Assert.Equal("created 1, torn down: Aborted", _app.Resources.StoryOf(id)));

    private Task<KestrelTestHost> StartAsync(Protocol protocol, Action<WebApplicationBuilder>? configure = null) =>
        _app.StartAsync(Pipeline.InsideExceptionHandler, "Production", protocol, configure: configure);

    private static async Task AssertHealthyAsync(KestrelTestHost host)
    {
        Assert.Equal("healthy", await host.Client.GetStringAsync("/health", TestContext.Current.CancellationToken));
        await host.StopAsync();
        host.Logs.AssertQuiet();
    }
}
