using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using ResilientHosting.Aborts;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Aborts.Policy;

public sealed class CompletingPolicyTests
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(30);

    private readonly ManualTimeProvider _clock = new();
    private readonly Barrier _started = new();
    private readonly Barrier _abortSeen = new();
    private readonly Barrier _release = new();
    private CancellationToken _work;
    private IClientAbortFeature? _feature;

    [Theory]
    [InlineData(Departure.Fin)]
    [InlineData(Departure.Rst)]
    public async Task CompleteWithin_ClientLeaves_TokenFiresOnlyWhenTheTimeIsOver(Departure departure)
    {
        var fired = new Barrier();
        await using var host = await StartAsync(app => app.MapPost("/", async (HttpContext context, CancellationToken aborted) =>
        {
            await using var registration = aborted.Register(fired.Open);
            await WorkAsync(context, aborted);
            await fired.PassedAsync();
            aborted.ThrowIfCancellationRequested();
        }).CompleteOnClientAbort(Within));

        await LeaveAsync(host, departure);
        Assert.Equal((true, ClientAbortCause.Client, ClientAbortPhase.Compute), (_feature!.IsAborted, _feature.Cause, _feature.Phase));
        Assert.Equal(_clock.GetUtcNow(), _feature.AbortedAt);

        _clock.Advance(Within - TimeSpan.FromTicks(1));
        Assert.False(_work.IsCancellationRequested);
        _clock.Advance(TimeSpan.FromTicks(1));
        Assert.True(_work.IsCancellationRequested);

        _release.Open();
        await host.StopAsync();
        Assert.Contains("Expired", host.Logs.Only("ClientAborted").Message, StringComparison.Ordinal);
        Assert.Equal([499], AccessRecord.Statuses(host.Logs, "/"));
        Assert.Equal(0, _clock.PendingTimers);
    }

    [Fact]
    public async Task RunToCompletion_ClientLeaves_WorkEndsByItself()
    {
        var body = "";
        await using var host = await StartAsync(app => app.MapPost("/", async (HttpContext context, CancellationToken aborted) =>
        {
            using var reader = new StreamReader(context.Request.Body);
            await WorkAsync(context, aborted);
            body = await reader.ReadToEndAsync(aborted);
        }).RunToCompletionOnClientAbort());

        await LeaveAsync(host, Departure.Rst);
        _clock.Advance(new ClientAbortOptions().OrphanHardCap - TimeSpan.FromTicks(1));
        Assert.False(_work.IsCancellationRequested);

        _release.Open();
        await host.StopAsync();
        Assert.Equal("body", body);
        Assert.Contains("Completed", host.Logs.Only("ClientAborted").Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunToCompletion_HostStops_WorkIsCancelledInsideTheHostsTime()
    {
        await using var host = await StartAsync(app => app.MapPost("/", async (HttpContext context, CancellationToken aborted) =>
        {
            await WorkAsync(context, aborted);
            await AbortTestApp.UntilAsync(aborted);
        }).RunToCompletionOnClientAbort());
        await LeaveAsync(host, Departure.Fin);
        _release.Open();

        var stopping = new Barrier();
        host.App.Lifetime.ApplicationStopping.Register(stopping.Open);
        var stopped = host.StopAsync();
        await stopping.PassedAsync();
        Assert.False(_work.IsCancellationRequested);
        _clock.Advance(TimeSpan.FromSeconds(28));
        Assert.True(_work.IsCancellationRequested);

        await stopped;
        Assert.Contains("Shutdown", host.Logs.Only("ClientAborted").Message, StringComparison.Ordinal);
        Assert.Contains("POST /", host.Logs.Expect("OrphanCut").Only("OrphanCut").Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/completing")]
    [InlineData("/cancelling")]
    public async Task Tokens_NextRequestOnTheConnectionIsAborted_FirstRequestsTokensStayQuiet(string second)
    {
        var signals = new List<CancellationToken>();
        var tokens = new List<CancellationToken>();
        var reached = new Barrier();
        var ended = new Barrier();
        async Task Handle(HttpContext context, CancellationToken aborted)
        {
            tokens.Add(aborted);
            signals.Add(context.Features.GetRequiredFeature<IClientAbortFeature>().ClientAborted);
            if (tokens.Count == 2)
            {
                reached.Open();
                await AbortTestApp.SignalledAsync(signals[1]);
                ended.Open();
            }
        }

        await using var host = await StartAsync(app =>
        {
            app.MapGet("/completing", Handle).CompleteOnClientAbort(Within);
            app.MapGet("/cancelling", Handle).CancelOnClientAbort();
        });
        await using (var client = await RawHttpClient.ConnectAsync(host.Address))
        {
            await client.SendGetAsync("/completing");
            Assert.StartsWith("HTTP/1.1 200", await client.ReadUntilAsync("\r\n\r\n"), StringComparison.Ordinal);
            await client.SendGetAsync(second);
            await reached.PassedAsync();
            Assert.False(tokens[1].IsCancellationRequested);
            client.Leave(Departure.Rst);
        }

        await ended.PassedAsync();
        await host.StopAsync();
        _clock.Advance(Within);
        Assert.False(tokens[0].IsCancellationRequested);
        Assert.False(signals[0].IsCancellationRequested);
        Assert.Equal(second == "/cancelling", tokens[1].IsCancellationRequested);
        Assert.True(signals[1].IsCancellationRequested);
    }

    [Theory]
    [InlineData("/disabled", true)]
    [InlineData("/group/own", true)]
    [InlineData("/group/inherited", false)]
    [InlineData("/default", false)]
    [InlineData("/attribute", true)]
    [InlineData("/named", true)]
    [InlineData("/named-attribute", true)]
    public async Task Policy_DisableBeatsEndpointBeatsGroupBeatsDefault(string path, bool cancels)
    {
        using var client = new CancellationTokenSource();
        bool? cancelled = null;
        bool? watched = null;
        void Handle(HttpContext context, CancellationToken aborted)
        {
            client.Cancel();
            cancelled = aborted.IsCancellationRequested;
            watched = context.Features.Get<IClientAbortFeature>() is not null;
        }

        await using var host = await KestrelTestHost.StartAsync(
            app =>
            {
                app.Use(next => context =>
                {
                    context.RequestAborted = client.Token;
                    return next(context);
                });
                app.UseClientAbortTolerance(options =>
                {
                    options.DefaultPolicy = ClientAbortPolicy.RunToCompletion;
                    options.AddPolicy("stop", ClientAbortPolicy.RunToCompletion).AddPolicy("stop", ClientAbortPolicy.Cancel);
                });
                app.MapGet("/default", Handle);
                app.MapGet("/disabled", Handle).CompleteOnClientAbort(Within).DisableClientAbortTolerance();
                app.MapGet("/attribute", [ClientAbort(ClientAbortBehavior.Cancel)] (HttpContext context, CancellationToken aborted) =>
                    Handle(context, aborted));
                app.MapGet("/named", Handle).WithClientAbortPolicy("stop");
                app.MapGet("/named-attribute", [ClientAbort("stop")] (HttpContext context, CancellationToken aborted) =>
                    Handle(context, aborted));
                var group = app.MapGroup("/group").CompleteOnClientAbort(Within);
                group.MapGet("/own", Handle).CancelOnClientAbort();
                group.MapGet("/inherited", Handle);
            });

        using var answer = await host.Client.GetAsync(path, TestContext.Current.CancellationToken);

        Assert.Equal(path != "/disabled", watched);
        Assert.Equal(cancels, cancelled);
    }

    [Fact]
    public async Task Policy_NameThatDoesNotExist_FailsTheRequestAndNamesWhatThereIs()
    {
        await using var host = await KestrelTestHost.StartAsync(app =>
        {
            app.UseClientAbortTolerance(options => options.AddPolicy("payments", ClientAbortPolicy.RunToCompletion));
            app.MapGet("/", () => "never").WithClientAbortPolicy("payment");
        });

        using var answer = await host.Client.GetAsync("/", TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.InternalServerError, answer.StatusCode);
        var failure = host.Logs.Expect("ApplicationError").Only("ApplicationError").Exception!;
        Assert.Contains("\"payment\"", failure.Message, StringComparison.Ordinal);
        Assert.Contains("There are: payments.", failure.Message, StringComparison.Ordinal);
    }

    private async Task WorkAsync(HttpContext context, CancellationToken aborted)
    {
        _work = aborted;
        _feature = context.Features.GetRequiredFeature<IClientAbortFeature>();
        _started.Open();
        await AbortTestApp.SignalledAsync(_feature.ClientAborted);
        _abortSeen.Open();
        await _release.PassedAsync();
    }

    private async Task LeaveAsync(KestrelTestHost host, Departure departure)
    {
        await using var client = await RawHttpClient.ConnectAsync(host.Address);
        await client.SendPostAsync("/", 4, "body", "text/plain");
        await _started.PassedAsync();
        client.Leave(departure);
        await _abortSeen.PassedAsync();
    }

    private Task<KestrelTestHost> StartAsync(Action<WebApplication> map) => KestrelTestHost.StartAsync(
        app =>
        {
            app.UseClientAbortTolerance();
            map(app);
        },
        builder => builder.Services.AddSingleton<TimeProvider>(_clock));
}
