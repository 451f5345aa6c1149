using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using ResilientHosting.Aborts;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Aborts.Detect;

public sealed class UploadWatchTests
{
    private const int Large = 4 * 1024 * 1024;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly ManualTimeProvider _clock = new();
    private readonly Barrier _started = new();
    private readonly Barrier _ended = new();
    private IClientAbortFeature? _feature;
    private Socket? _socket;

    [Theory]
    [InlineData("Content-Length: 4194304", false)]
    [InlineData("Content-Length: 4194304", true)]
    [InlineData("Transfer-Encoding: chunked", false)]
    public async Task Reset_DuringAnUnreadUpload_IsNoticedByTheNextLook(string framing, bool completing)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The socket can be asked on Linux only.");
        await using var host = await StartAsync(context => completing
            ? AbortTestApp.SignalledAsync(_feature!.ClientAborted)
            : AbortTestApp.UntilAsync(context.RequestAborted));
        await UploadAndResetAsync(host, framing);
        Assert.False(_feature!.IsAborted);
        Assert.False(_feature.ClientAborted.IsCancellationRequested);

        _clock.Advance(Interval);

        await AbortTestApp.SignalledAsync(_feature.ClientAborted).WaitAsync(KestrelTestHost.Timeout, TestContext.Current.CancellationToken);
        Assert.Equal(ClientAbortCause.Client, _feature.Cause);
        await _ended.PassedAsync();
        await host.StopAsync();
        Assert.Equal(0, _clock.PendingTimers);
        Assert.Equal([499], AccessRecord.Statuses(host.Logs, "/"));
        Assert.DoesNotContain(host.Logs.Lines, line => line.Event.Name == "ApplicationAbortedConnection");
    }

    [Fact]
    public async Task Watch_ClientStays_ChangesNothing()
    {
        var release = new Barrier();
        await using var host = await StartAsync(async context =>
        {
            await release.PassedAsync();
            await context.Request.Body.CopyToAsync(Stream.Null);
        });
        var answer = host.Client.PostAsync("/", new ByteArrayContent(new byte[Large]), TestContext.Current.CancellationToken);
        await _started.PassedAsync();
        Assert.Equal(OperatingSystem.IsLinux() ? 1 : 0, _clock.PendingTimers);

        _clock.Advance(Interval * 3);
        release.Open();

        Assert.True((await answer).IsSuccessStatusCode);
        await _ended.PassedAsync();
        Assert.False(_feature!.IsAborted);
        Assert.Equal(0, _clock.PendingTimers);
    }

    [Theory]
    [InlineData("GET", null)]
    [InlineData("POST", 0)]
    [InlineData("POST", 100_000)]
    public async Task Watch_BodyThatFitsTheBuffer_IsNotRegistered(string method, int? size)
    {
        await using var host = await StartAsync(_ =>
        {
            Assert.Equal(0, _clock.PendingTimers);
            return Task.CompletedTask;
        });
        using var request = new HttpRequestMessage(new HttpMethod(method), "/");
        request.Content = size is null ? null : new ByteArrayContent(new byte[size.Value]);

        var answer = await host.Client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.True(answer.IsSuccessStatusCode);
    }

    [Fact]
    public async Task Look_WhileRequestsEndAndSocketsClose_NeverThrows()
    {
        const int seed = 20_261;
        await using var host = await StartAsync(async context =>
        {
            switch (context.Request.Query["end"])
            {
                case "read":
                    await context.Request.Body.CopyToAsync(Stream.Null);
                    break;
                case "abort":
                    context.Abort();
                    break;
            }
        }, new LookClock(_clock));
        var random = new Random(seed);
        var plans = Enumerable.Range(0, 200)
            .Select(_ => (End: random.Next(3) switch { 0 => "read", 1 => "abort", _ => "unread" }, Sent: random.Next(1, Large)))
            .ToArray();
        using var over = new CancellationTokenSource();
        var looking = Task.Run(
            () =>
            {
                while (!over.IsCancellationRequested)
                {
                    _clock.Advance(Interval);
                    Thread.Yield();
                }
            },
            TestContext.Current.CancellationToken);

        await Parallel.ForEachAsync(plans, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (plan, cancelled) =>
        {
            using var client = await ConnectAsync(host);
            try
            {
                var head = Head($"/?end={plan.End}", $"Content-Length: {Large}");
                await client.SendAsync(head).WaitAsync(KestrelTestHost.Timeout, cancelled);
                await client.SendAsync(new byte[plan.Sent]).WaitAsync(KestrelTestHost.Timeout, cancelled);
            }
            catch (SocketException)
            {
                // The server has aborted meanwhile, as planned.
            }

            client.LingerState = new LingerOption(enable: true, seconds: 0);
        });

        await host.StopAsync();
        await over.CancelAsync();
        await looking.WaitAsync(KestrelTestHost.Timeout, TestContext.Current.CancellationToken);
        Assert.True(_clock.PendingTimers == 0, $"Seed {seed}: a request is still being watched.");
    }

    /// <summary>The head of a POST; of a chunked one with the head of a chunk that holds everything.</summary>
    private static byte[] Head(string path, string framing)
    {
        var chunk = framing.Contains("chunked", StringComparison.Ordinal) ? "400000\r\n" : "";
        return Encoding.ASCII.GetBytes($"POST {path} HTTP/1.1\r\nHost: localhost\r\n{framing}\r\n\r\n{chunk}");
    }

    private static async Task<Socket> ConnectAsync(KestrelTestHost host)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync("127.0.0.1", host.Address.Port).WaitAsync(KestrelTestHost.Timeout);
        return socket;
    }

    /// <summary>Sends as much of a large body as the server takes, resets, and returns when the server's kernel knows.</summary>
    private async Task UploadAndResetAsync(KestrelTestHost host, string framing)
    {
        using (var client = await ConnectAsync(host))
        {
            await client.SendAsync(Head("/", framing)).WaitAsync(KestrelTestHost.Timeout);
            var sending = client.SendAsync(new byte[Large]);
            await _started.PassedAsync();
            using var limit = new CancellationTokenSource(KestrelTestHost.Timeout);
            while (host.Logs.Lines.All(line => line.Event.Name != "ConnectionPause"))
            {
                limit.Token.ThrowIfCancellationRequested();
                await Task.Yield();
            }

            client.LingerState = new LingerOption(enable: true, seconds: 0);
            client.Close();
            await ((Task)sending).WaitAsync(KestrelTestHost.Timeout).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            while (!SocketState.IsReset(_socket!))
            {
                limit.Token.ThrowIfCancellationRequested();
                await Task.Yield();
            }
        }
    }

    private Task<KestrelTestHost> StartAsync(RequestDelegate handler, TimeProvider? clock = null) => KestrelTestHost.StartAsync(
        app =>
        {
            app.UseEndBarrier("/", _ended);
            app.UseClientAbortTolerance();
            app.Map("/", context =>
            {
                _feature = context.Features.Get<IClientAbortFeature>();
                _socket = context.Features.Get<IConnectionSocketFeature>()!.Socket;
                _started.Open();
                return handler(context);
            });
        },
        builder => builder.Services.AddSingleton(clock ?? _clock));

    /// <summary>Real time for whoever waits once, such as for the server to confirm an abort; the looks come when a test says so.</summary>
    private sealed class LookClock(TimeProvider looks) : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            (period == Interval ? looks : System).CreateTimer(callback, state, dueTime, period);
    }
}
