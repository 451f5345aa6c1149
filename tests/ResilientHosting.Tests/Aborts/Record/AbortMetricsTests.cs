using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using ResilientHosting.Aborts;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Aborts.Record;

/// <summary>What the instruments say of aborts in every phase, and of failures that only look like one.</summary>
public sealed class AbortMetricsTests
{
    private readonly ManualTimeProvider _clock = new();
    private readonly Barrier _started = new();
    private readonly Barrier _ended = new();

    [Theory]
    [InlineData("/compute", 499, "compute", "cancelled")]
    [InlineData("/body", 499, "request_body", "cancelled")]
    [InlineData("/stream", 200, "response_body", "cancelled")]
    [InlineData("/unheard", 200, "response_body", "completed")]
    [InlineData("/finished", 499, "compute", "completed")]
    public async Task ClientLeaves_AnyPhase_RequestIsTaggedAndNoError(string path, int status, string phase, string outcome)
    {
        var measured = await AbortAsync(path);

        var duration = Assert.Single(measured.Of("http.server.request.duration"));
        Assert.Equal(status, duration["http.response.status_code"]);
        Assert.Equal(true, duration["client.aborted"]);
        Assert.DoesNotContain("error.type", duration.Keys);
        var abort = Assert.Single(measured.Of("resilient_hosting.client_aborts"));
        Assert.Equal((phase, outcome), (abort["phase"], abort["outcome"]));
    }

    [Theory]
    [InlineData("/bug", typeof(InvalidOperationException))]
    [InlineData("/disk", typeof(IOException))]
    public async Task GenuineFailureAfterTheAbort_HasItsErrorTypeBesideTheTag(string path, Type type)
    {
        var measured = await AbortAsync(path, "FailureAfterClientAbort", "ApplicationError");

        var duration = Assert.Single(measured.Of("http.server.request.duration"));
        Assert.Equal(true, duration["client.aborted"]);
        Assert.Equal(type.FullName, duration["error.type"]);
        Assert.Equal("failed", Assert.Single(measured.Of("resilient_hosting.client_aborts"))["outcome"]);
    }

    [Theory]
    [InlineData("/slow", "run_to_completion", "completed")]
    [InlineData("/slow-cancel", "cancel", "completed")]
    public async Task Orphan_RanOnForAWhile_ItsTimeAndNumberAreMeasured(string path, string policy, string outcome)
    {
        var measured = await AbortAsync(path);

        Assert.Equal([3.0], measured.ValuesOf("resilient_hosting.orphan.duration"));
        Assert.Equal(
            new Dictionary<string, object?> { ["policy"] = policy, ["outcome"] = outcome, ["http.route"] = path },
            Assert.Single(measured.Of("resilient_hosting.orphan.duration")));
        Assert.Equal([1.0, -1.0], measured.ValuesOf("resilient_hosting.orphans"));
    }

    [Fact]
    public async Task FailedBodyRead_TimeToTheServersConfirmationIsMeasured()
    {
        var measured = await AbortAsync("/body");

        Assert.Equal([0.0], measured.ValuesOf("resilient_hosting.client_abort.detection_delay"));
        Assert.Equal("1.1", Assert.Single(measured.Of("resilient_hosting.client_abort.detection_delay"))["network.protocol.version"]);
    }

    [Fact]
    public async Task UndisturbedRequest_MeasuresNothingOfAborts()
    {
        await using var host = await StartAsync();
        using var measured = new Measurements(host.App);

        await host.Client.GetStringAsync("/health", TestContext.Current.CancellationToken);
        await host.StopAsync();

        Assert.DoesNotContain("client.aborted", Assert.Single(measured.Of("http.server.request.duration")).Keys);
        Assert.All(
            measured.Instruments.Where(instrument => instrument.Meter.Name == "ResilientHosting"),
            instrument => Assert.Empty(measured.Of(instrument.Name)));
    }

    private async Task<Measurements> AbortAsync(string path, params string[] expected)
    {
        await using var host = await StartAsync();
        foreach (var name in expected)
        {
            host.Logs.Expect(name);
        }

        using var measured = new Measurements(host.App);
        await using (var client = await RawHttpClient.ConnectAsync(host.Address))
        {
            await (path == "/body" ? client.SendPostAsync(path, 100, "half") : client.SendGetAsync(path));
            await _started.PassedAsync();
            client.Leave(Departure.Rst);
            await _ended.PassedAsync();
        }

        await host.StopAsync();
        return measured;
    }

    private Task<KestrelTestHost> StartAsync() => KestrelTestHost.StartAsync(
        app =>
        {
            app.Use(next => async context =>
            {
                try
                {
                    await next(context);
                }
                finally
                {
                    if (context.Request.Path != "/health")
                    {
                        _ended.Open();
                    }
                }
            });
            app.UseClientAbortTolerance();
            app.MapGet("/health", () => "healthy");
            app.MapGet("/compute", (CancellationToken aborted) => StartAsync(AbortTestApp.UntilAsync(aborted)));
            app.MapPost("/body", (HttpContext context) => StartAsync(context.Request.Body.CopyToAsync(Stream.Null)));
            app.MapGet("/stream", async (HttpContext context, CancellationToken aborted) =>
            {
                await context.Response.WriteAsync("first", aborted);
                await StartAsync(AbortTestApp.UntilAsync(aborted));
            });
            app.MapGet("/unheard", async (HttpContext context, CancellationToken aborted) =>
            {
                await context.Response.WriteAsync("first", aborted);
                await StartAsync(AbortTestApp.SignalledAsync(aborted));
            });
            app.MapGet("/finished", (CancellationToken aborted) => StartAsync(AbortTestApp.SignalledAsync(aborted)));
            app.MapGet("/bug", async (CancellationToken aborted) =>
            {
                await StartAsync(AbortTestApp.SignalledAsync(aborted));
                throw new InvalidOperationException("genuine");
            });
            app.MapGet("/disk", async (CancellationToken aborted) =>
            {
                await StartAsync(AbortTestApp.SignalledAsync(aborted));
                throw new IOException("genuine");
            });
            app.MapGet("/slow", RunOnAsync).RunToCompletionOnClientAbort();
            app.MapGet("/slow-cancel", RunOnAsync);
        },
        builder => builder.Services.AddSingleton<TimeProvider>(_clock));

    private async Task RunOnAsync(HttpContext context)
    {
        await StartAsync(AbortTestApp.SignalledAsync(context.Features.GetRequiredFeature<IClientAbortFeature>().ClientAborted));
        _clock.Advance(TimeSpan.FromSeconds(3));
    }

    private Task StartAsync(Task work)
    {
        _started.Open();
        return work;
    }
}
