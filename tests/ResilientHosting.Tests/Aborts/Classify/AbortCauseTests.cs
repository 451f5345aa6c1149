using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using ResilientHosting.Aborts;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Aborts.Classify;

public sealed class AbortCauseTests
{
    public static TheoryData<string> Orders() => ["timeouts,handler,tolerance", "timeouts,tolerance,handler", "handler,timeouts,tolerance",
        "handler,tolerance,timeouts", "tolerance,timeouts,handler", "tolerance,handler,timeouts"];

    [Theory]
    [MemberData(nameof(Orders))]
    public async Task RequestTimeout_AnyOrder_AnswersTheLiveClientWith504(string order)
    {
        await using var host = await KestrelTestHost.StartAsync(
            app =>
            {
                foreach (var middleware in order.Split(','))
                {
                    _ = middleware switch
                    {
                        "timeouts" => app.UseRequestTimeouts(),
                        "handler" => app.UseExceptionHandler(),
                        _ => app.UseClientAbortTolerance(),
                    };
                }

                app.MapGet("/cancel", (CancellationToken aborted) => AbortTestApp.UntilAsync(aborted));
                app.MapGet("/complete", (CancellationToken aborted) => AbortTestApp.UntilAsync(aborted)).RunToCompletionOnClientAbort();
            },
            builder =>
            {
                builder.Services.AddProblemDetails();
                builder.Services.AddRequestTimeouts(options =>
                    options.DefaultPolicy = new RequestTimeoutPolicy { Timeout = TimeSpan.FromMilliseconds(20) });
            });
        host.Logs.Expect("TimeoutExceptionHandled");

        foreach (var path in new[] { "/cancel", "/complete" })
        {
            var answer = await host.Client.GetAsync(path, TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.GatewayTimeout, answer.StatusCode);
        }

        Assert.DoesNotContain(host.Logs.Lines, line =>
            line.Event.Name == "ClientAborted" && !line.Message.Contains("by RequestTimeout", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Abort_ByTheApplication_IsNotTheClients()
    {
        IClientAbortFeature? feature = null;
        await using var host = await KestrelTestHost.StartAsync(app =>
        {
            app.UseClientAbortTolerance();
            app.MapGet("/", async (HttpContext context, CancellationToken aborted) =>
            {
                feature = context.Features.Get<IClientAbortFeature>();
                context.Abort();
                await AbortTestApp.UntilAsync(aborted);
            });
        });

        await Assert.ThrowsAsync<HttpRequestException>(() => host.Client.GetAsync("/", TestContext.Current.CancellationToken));

        await host.StopAsync();
        Assert.Equal(ClientAbortCause.Application, feature!.Cause);
    }

    [Theory]
    [InlineData("/compute")]
    [InlineData("/body")]
    public async Task StreamReset_OverHttp2_LeavesTheConnectionAlone(string path)
    {
        IClientAbortFeature? feature = null;
        var started = new Barrier();
        var ended = new Barrier();
        await using var host = await KestrelTestHost.StartAsync(
            app =>
            {
                app.UseEndBarrier(path, ended);
                app.UseClientAbortTolerance();
                app.MapGet("/health", () => "healthy");
                app.MapPost("/compute", async (HttpContext context, CancellationToken aborted) =>
                {
                    feature = context.Features.Get<IClientAbortFeature>();
                    started.Open();
                    await AbortTestApp.UntilAsync(aborted);
                });
                app.MapPost("/body", async (HttpContext context) =>
                {
                    feature = context.Features.Get<IClientAbortFeature>();
                    var read = context.Request.Body.CopyToAsync(Stream.Null);
                    started.Open();
                    await read;
                });
            },
            builder => builder.WebHost.ConfigureKestrel(kestrel =>
                kestrel.ConfigureEndpointDefaults(listen => listen.Protocols = HttpProtocols.Http2)));
        host.Client.DefaultRequestVersion = HttpVersion.Version20;
        host.Client.DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        using var leaving = new CancellationTokenSource();
        using var message = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = new EndlessContent(),
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };

        var request = host.Client.SendAsync(message, leaving.Token);
        await started.PassedAsync();
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
        await ended.PassedAsync();

        Assert.Equal("healthy", await host.Client.GetStringAsync("/health", TestContext.Current.CancellationToken));
        Assert.Equal(ClientAbortCause.ClientStreamReset, feature!.Cause);
        await host.StopAsync();
        Assert.Equal([499], AccessRecord.Statuses(host.Logs, path));
    }

    [Fact]
    public async Task HostShutdown_CutsARequest_IsNotTheClients()
    {
        IClientAbortFeature? feature = null;
        var started = new Barrier();
        await using var host = await KestrelTestHost.StartAsync(
            app =>
            {
                app.UseClientAbortTolerance();
                app.MapGet("/", async (HttpContext context, CancellationToken aborted) =>
                {
                    feature = context.Features.Get<IClientAbortFeature>();
                    started.Open();
                    await AbortTestApp.UntilAsync(aborted);
                });
            },
            builder => builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromMilliseconds(50)));
        await using var client = await RawHttpClient.ConnectAsync(host.Address);
        await client.SendGetAsync("/");
        await started.PassedAsync();

        await host.StopAsync();

        Assert.Equal(ClientAbortCause.HostShutdown, feature!.Cause);
    }
}
