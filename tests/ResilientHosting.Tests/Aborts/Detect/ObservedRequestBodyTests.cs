using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using ResilientHosting.Aborts;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Aborts.Detect;

public sealed class ObservedRequestBodyTests
{
    [Theory]
    [InlineData("GET", false)]
    [InlineData("POST", true)]
    public async Task Body_IsObservedOnlyIfThereCanBeOne(string method, bool observed)
    {
        Stream? inside = null;
        Stream? before = null;
        Stream? after = null;
        await using var host = await KestrelTestHost.StartAsync(app =>
        {
            app.Use(async (context, next) =>
            {
                before = context.Request.Body;
                await next(context);
                after = context.Request.Body;
            });
            app.UseClientAbortTolerance();
            app.MapMethods("/", [method], (HttpContext context) =>
            {
                inside = context.Request.Body;
            });
        });
        using var request = new HttpRequestMessage(new HttpMethod(method), "/") { Content = observed ? new StringContent("text") : null };

        await host.Client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(observed, inside is ObservedRequestBody);
        Assert.Same(before, after);
    }

    [Fact]
    public async Task Reader_AfterEnableBuffering_ReadsTheBufferedBody()
    {
        await using var host = await KestrelTestHost.StartAsync(app =>
        {
            app.UseClientAbortTolerance();
            app.MapPost("/", async (HttpContext context) =>
            {
                context.Request.EnableBuffering();
                var first = await context.Request.BodyReader.ReadAtLeastAsync(4, context.RequestAborted);
                var text = Encoding.ASCII.GetString(first.Buffer.FirstSpan);
                context.Request.Body.Position = 0;
                using var reader = new StreamReader(context.Request.Body);
                return text + await reader.ReadToEndAsync(context.RequestAborted);
            });
        });

        var answer = await host.Client.PostAsync("/", new StringContent("text"), TestContext.Current.CancellationToken);

        Assert.Equal("texttext", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData(Departure.Fin)]
    [InlineData(Departure.Rst)]
    public async Task SynchronousRead_ClientLeaves_IsAnAbortAllTheSame(Departure departure)
    {
        var reading = new Barrier();
        var ended = new Barrier();
        await using var host = await KestrelTestHost.StartAsync(
            app =>
            {
                app.UseEndBarrier("/", ended);
                app.UseClientAbortTolerance();
                app.MapPost("/", (HttpContext context) =>
                {
                    reading.Open();
                    context.Request.Body.CopyTo(Stream.Null);
                });
            },
            builder => builder.Services.Configure<KestrelServerOptions>(options => options.AllowSynchronousIO = true));
        await LeaveAsync(host, client => client.SendPostAsync("/", 1000, "half"), reading, departure, ended);

        Assert.Equal([499], AccessRecord.Statuses(host.Logs, "/"));
    }

    [Fact]
    public async Task SynchronousRead_FailureIsSwallowed_TheServersConfirmationIsAwaitedAllTheSame()
    {
        await using var app = WebApplication.CreateBuilder().Build();
        app.UseClientAbortTolerance();
        app.Run(context =>
        {
            Assert.Throws<ConnectionResetException>(() => context.Request.Body.Read(new byte[1]));
            return Task.CompletedTask;
        });
        using var server = new CancellationTokenSource();
        var context = new DefaultHttpContext { RequestAborted = server.Token, Request = { Protocol = "HTTP/1.1", Body = new BrokenStream() } };

        var request = ((IApplicationBuilder)app).Build()(context);
        Assert.False(request.IsCompleted);
        await server.CancelAsync();
        await request.WaitAsync(KestrelTestHost.Timeout, TestContext.Current.CancellationToken);

        var abort = context.Features.Get<IClientAbortFeature>()!;
        Assert.Equal((ClientAbortCause.Client, ClientAbortPhase.RequestBody), (abort.Cause, abort.Phase));
        Assert.Equal(StatusCodes.Status499ClientClosedRequest, context.Response.StatusCode);
    }

    [Theory]
    [InlineData(Departure.Fin)]
    [InlineData(Departure.Rst)]
    public async Task ChunkedBody_ClientLeaves_IsAnAbort(Departure departure)
    {
        var arrived = new Barrier();
        var ended = new Barrier();
        await using var host = await KestrelTestHost.StartAsync(app =>
        {
            app.UseEndBarrier("/", ended);
            app.UseClientAbortTolerance();
            app.MapPost("/", async (HttpContext context) =>
            {
                arrived.Open();
                await context.Request.ReadFromJsonAsync<Note>(context.RequestAborted);
            });
        });
        const string Request =
            "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"tex\r\n";
        await LeaveAsync(host, client => client.SendAsync(Request), arrived, departure, ended);

        Assert.Equal([499], AccessRecord.Statuses(host.Logs, "/"));
    }

    [Theory]
    [InlineData(Departure.Fin)]
    [InlineData(Departure.Rst)]
    public async Task PendingRead_ClientLeaves_IsInThePhaseRequestBody(Departure departure)
    {
        var reading = new Barrier();
        var ended = new Barrier();
        await using var host = await KestrelTestHost.StartAsync(app =>
        {
            app.UseEndBarrier("/", ended);
            app.UseClientAbortTolerance();
            app.MapPost("/", async (HttpContext context) =>
            {
                var buffer = new byte[4];
                await context.Request.Body.ReadExactlyAsync(buffer);
                var pending = context.Request.Body.ReadAsync(buffer);
                reading.Open();
                await pending;
            });
        });
        await LeaveAsync(host, client => client.SendPostAsync("/", 1000, "half"), reading, departure, ended);

        Assert.Contains("phase RequestBody by Client", host.Logs.Only("ClientAborted").Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/stream", 1000, "RequestBody")]
    [InlineData("/pipe", 1000, "RequestBody")]
    [InlineData("/stream", 4, "Compute")]
    [InlineData("/pipe", 4, "Compute")]
    [InlineData("/unread", 1000, "Compute")]
    public async Task BetweenTwoReads_ClientLeaves_IsInThePhaseRequestBodyUntilTheEndIsSeen(string path, int announced, string phase)
    {
        var between = new Barrier();
        var ended = new Barrier();
        async Task PauseAsync(HttpContext context)
        {
            between.Open();
            await AbortTestApp.UntilAsync(context.RequestAborted);
        }

        await using var host = await KestrelTestHost.StartAsync(app =>
        {
            app.UseEndBarrier(path, ended);
            app.UseClientAbortTolerance();
            app.MapPost("/unread", PauseAsync);
            app.MapPost("/stream", async (HttpContext context) =>
            {
                await context.Request.Body.ReadExactlyAsync(new byte[4]);
                await PauseAsync(context);
            });
            app.MapPost("/pipe", async (HttpContext context) =>
            {
                var result = await context.Request.BodyReader.ReadAtLeastAsync(4);
                context.Request.BodyReader.AdvanceTo(result.Buffer.End);
                await PauseAsync(context);
            });
        });
        await LeaveAsync(host, client => client.SendPostAsync(path, announced, "body"), between, Departure.Rst, ended);

        Assert.Contains($"phase {phase} by Client", host.Logs.Only("ClientAborted").Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Protocol.Http1)]
    [InlineData(Protocol.Http1OverTls)]
    public async Task BodyOfKnownLength_ClientLeaves_IsAnAbortWithoutWaitingForTheServer(Protocol protocol)
    {
        const int Clients = 20;
        var arrived = Enumerable.Range(0, Clients).Select(_ => new Barrier()).ToArray();
        var ended = Enumerable.Range(0, Clients).Select(_ => new Barrier()).ToArray();
        await using var host = await KestrelTestHost.StartAsync(
            app =>
            {
                app.Use(async (context, next) =>
                {
                    try
                    {
                        await next(context);
                    }
                    finally
                    {
                        ended[int.Parse(context.Request.Path.Value![1..], CultureInfo.InvariantCulture)].Open();
                    }
                });
                app.UseClientAbortTolerance(options => options.SettleTimeout = TimeSpan.Zero);
                app.MapPost("/{number:int}", async (int number, HttpContext context) =>
                {
                    arrived[number].Open();
                    await context.Request.Body.CopyToAsync(Stream.Null);
                });
            },
            protocol: protocol);

        for (var number = 0; number < Clients; number++)
        {
            await using var client = await LeavingClient.ConnectAsync(host.Address, protocol);
            await client.SendPostAsync(string.Create(CultureInfo.InvariantCulture, $"/{number}"), contentLength: 10, "half");
            await arrived[number].PassedAsync();
            await client.LeaveAsync(Departure.Fin);
            await ended[number].PassedAsync();
        }

        await host.StopAsync();

        Assert.Equal(Clients, host.Logs.Lines.Count(line => line.Event.Name == "ClientAborted"));
    }

    [Theory]
    [InlineData("", Protocol.Http1)]
    [InlineData("", Protocol.Http1OverTls)]
    [InlineData("Content-Length: 4\r\n", Protocol.Http1)]
    [InlineData("Content-Length: 4\r\n", Protocol.Http1OverTls)]
    public async Task MalformedBody_ClientStays_IsTheClientsFaultAndNoAbort(string announced, Protocol protocol)
    {
        await using var host = await KestrelTestHost.StartAsync(
            app =>
            {
                app.UseClientAbortTolerance(options => options.SettleTimeout = TimeSpan.Zero);
                app.MapPost("/", async (HttpContext context) => await context.Request.Body.CopyToAsync(Stream.Null));
            },
            protocol: protocol);
        await using var client = (RawHttpClient)await LeavingClient.ConnectAsync(host.Address, protocol);

        // Stock behaviour for a handler that lets this exception pass; what matters is that nothing is called an abort.
        host.Logs.Expect("ApplicationError");
        await client.SendAsync(
            $"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n{announced}\r\nnonsense\r\n");

        Assert.StartsWith("HTTP/1.1 400", await client.ReadUntilAsync("\r\n\r\n"), StringComparison.Ordinal);
        await host.StopAsync();
        Assert.DoesNotContain(host.Logs.Lines, line => line.Event.Name == "ClientAborted");
    }

    [Fact]
    public async Task LookAhead_ClientLeaves_LeftoverIsNotParsedAsTheNextRequest()
    {
        var arrived = new Barrier();
        var ended = new Barrier();
        var smuggled = false;
        await using var host = await KestrelTestHost.StartAsync(app =>
        {
            app.UseEndBarrier("/", ended);
            app.UseClientAbortTolerance();
            app.MapGet("/smuggled", () => smuggled = true);
            app.MapPost("/", async (HttpContext context) =>
            {
                var reader = context.Request.BodyReader;
                var result = await reader.ReadAsync(context.RequestAborted);
                reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
                arrived.Open();
                try
                {
                    await reader.ReadAsync(context.RequestAborted);
                }
                catch (IOException)
                {
                    // Swallowed as the framework's own binders do, so that the server carries on with the connection.
                }
            });
        });
        await LeaveAsync(host, client => client.SendPostAsync("/", 1000, "GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"), arrived, Departure.Fin, ended);

        Assert.False(smuggled);
    }

    /// <summary>A client that leaves once its request has got as far as it is to get; until the request has ended and the host with it.</summary>
    private static async Task LeaveAsync(
        KestrelTestHost host, Func<RawHttpClient, Task> send, Barrier arrived, Departure departure, Barrier ended)
    {
        await using (var client = await RawHttpClient.ConnectAsync(host.Address))
        {
            await send(client);
            await arrived.PassedAsync();
            client.Leave(departure);
            await ended.PassedAsync();
        }

        await host.StopAsync();
    }

    private sealed class BrokenStream : MemoryStream
    {
        public override int Read(byte[] buffer, int offset, int count) => throw new ConnectionResetException("reset");

        public override int Read(Span<byte> buffer) => throw new ConnectionResetException("reset");
    }
}
