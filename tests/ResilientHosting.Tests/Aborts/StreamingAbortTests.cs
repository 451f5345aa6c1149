using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using ResilientHosting.Aborts;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Aborts;

/// <summary>Clients leave while a response is being produced item by item, or is sent from a file or through compression.</summary>
public sealed class StreamingAbortTests : IDisposable
{
    private readonly ManualTimeProvider _clock = new();
    private readonly Barrier _polling = new();
    private readonly Barrier _abortSeen = new();
    private readonly Barrier _finished = new();
    private readonly Barrier _ended = new();
    private readonly TemporaryFolder _folder = new();
    private int _itemsAfterAbort;
    private volatile bool _isFinished;

    public static TheoryData<string, Departure, Pipeline> Streams() => new MatrixTheoryData<string, Departure, Pipeline>(
        ["/sse", "/sse-deaf", "/json", "/json-deaf"], [Departure.Fin, Departure.Rst], Enum.GetValues<Pipeline>());

    public static TheoryData<string, Departure, Pipeline> Bodies() => new MatrixTheoryData<string, Departure, Pipeline>(
        ["/file", "/compressed", "/long-poll"], [Departure.Fin, Departure.Rst], Enum.GetValues<Pipeline>());

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Streams))]
    public async Task Producer_ClientLeaves_StopsWithinOneItem(string path, Departure departure, Pipeline pipeline)
    {
        await using var host = await StartAsync(path, pipeline);

        await LeaveAsync(host, path, departure, "item");

        await _ended.PassedAsync();
        await _finished.PassedAsync();
        await host.StopAsync();
        Assert.InRange(_itemsAfterAbort, 0, 1);
        var phase = path.StartsWith("/sse", StringComparison.Ordinal) ? "Streaming" : "ResponseBody";
        Assert.Contains($"in phase {phase} by Client;", host.Logs.Only("ClientAborted").Message, StringComparison.Ordinal);
        Assert.Equal([200], AccessRecord.Statuses(host.Logs, path));
    }

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task Body_ClientLeavesHalfWay_IsQuiet(string path, Departure departure, Pipeline pipeline)
    {
        await using var host = await StartAsync(path, pipeline);

        await LeaveAsync(host, path, departure, path == "/long-poll" ? null : "\r\n\r\n");

        await _ended.PassedAsync();
        await host.StopAsync();
        var phase = path == "/long-poll" ? "Compute" : "ResponseBody";
        Assert.Contains($"in phase {phase} by Client;", host.Logs.Only("ClientAborted").Message, StringComparison.Ordinal);
        Assert.Equal([path == "/long-poll" ? 499 : 200], AccessRecord.Statuses(host.Logs, path));
    }

    [Theory]
    [InlineData("/sse", Departure.Fin)]
    [InlineData("/sse", Departure.Rst)]
    [InlineData("/sse-deaf", Departure.Fin)]
    [InlineData("/sse-deaf", Departure.Rst)]
    public async Task Producer_UnderACompletingPolicy_GoesOnUntilItsTimeIsOver(string path, Departure departure)
    {
        await using var host = await StartAsync(path, completing: true);

        await LeaveAsync(host, path, departure, "item");
        await _abortSeen.PassedAsync();
        Assert.False(_isFinished);
        _clock.Advance(TimeSpan.FromSeconds(30));

        await _finished.PassedAsync();
        await _ended.PassedAsync();
        await host.StopAsync();
        Assert.Contains("handler Expired 30000 ms later", host.Logs.Only("ClientAborted").Message, StringComparison.Ordinal);
    }

    private async Task LeaveAsync(KestrelTestHost host, string path, Departure departure, string? readFirst)
    {
        await using var client = await RawHttpClient.ConnectAsync(host.Address);
        await client.SendAsync($"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n");
        if (readFirst is not null)
        {
            Assert.Contains(readFirst, await client.ReadUntilAsync(readFirst), StringComparison.Ordinal);
        }
        else
        {
            await _polling.PassedAsync();
        }

        client.Leave(departure);
    }

    private Task<KestrelTestHost> StartAsync(string path, Pipeline pipeline = Pipeline.WithoutExceptionHandler, bool completing = false) =>
        KestrelTestHost.StartAsync(
            app =>
            {
                app.UseEndBarrier(path, _ended);
                AbortTestApp.UsePipeline(app, pipeline);
                app.Use(next => async context =>
                {
                    using var registration = context.Features.Get<IClientAbortFeature>()!.ClientAborted.Register(_abortSeen.Open);
                    await next(context);
                });
                app.UseResponseCompression();
                Map(app);
            },
            builder =>
            {
                builder.Services.AddSingleton<TimeProvider>(_clock);
                builder.Services.AddClientAbortTolerance(options => options.DefaultPolicy = completing
                    ? ClientAbortPolicy.CompleteWithin(TimeSpan.FromSeconds(30))
                    : ClientAbortPolicy.Cancel);
                builder.Services.AddProblemDetails();
                builder.Services.AddResponseCompression(options => options.MimeTypes = ["text/plain"]);
            });

    private void Map(WebApplication app)
    {
        app.MapGet("/sse", (CancellationToken aborted) => TypedResults.ServerSentEvents(ProduceAsync(aborted)));
        app.MapGet("/sse-deaf", () => TypedResults.ServerSentEvents(ProduceDeafAsync()));
        app.MapGet("/json", (CancellationToken aborted) => ProduceAsync(aborted));
        app.MapGet("/json-deaf", () => ProduceDeafAsync());
        app.MapGet("/long-poll", async (CancellationToken aborted) =>
        {
            _polling.Open();
            await AbortTestApp.UntilAsync(aborted);
            return "news";
        });
        var file = _folder.PathOf("large.bin");
        using (var content = File.Create(file))
        {
            content.SetLength(50_000_000);
        }

        app.MapGet("/file", () => Results.File(file, "application/octet-stream"));
        app.MapGet("/compressed", async (HttpContext context, CancellationToken aborted) =>
        {
            context.Response.ContentType = "text/plain";
            while (true)
            {
                await context.Response.WriteAsync("text", aborted);
                await context.Response.Body.FlushAsync(aborted);
            }
        });
    }

    private async IAsyncEnumerable<string> ProduceAsync([EnumeratorCancellation] CancellationToken token)
    {
        await foreach (var item in ProduceDeafAsync().WithCancellation(token))
        {
            token.ThrowIfCancellationRequested();
            yield return item;
        }
    }

    /// <summary>Endless, and looks at no token. The first item comes at once, the others when the client has left.</summary>
    private async IAsyncEnumerable<string> ProduceDeafAsync()
    {
        try
        {
            yield return "item";
            await _abortSeen.PassedAsync();
            while (true)
            {
                yield return "item";
                await Task.Yield();
                _itemsAfterAbort++;
            }
        }
        finally
        {
            _isFinished = true;
            _finished.Open();
        }
    }
}
