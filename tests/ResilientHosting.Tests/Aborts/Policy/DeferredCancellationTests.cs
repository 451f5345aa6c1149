using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using ResilientHosting.Aborts;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Aborts.Policy;

/// <summary>The commit guard: a cancellation waits until the statements that must not be interrupted are through.</summary>
public sealed class DeferredCancellationTests
{
    private static readonly TimeSpan Cap = TimeSpan.FromSeconds(5);

    private readonly ManualTimeProvider _clock = new();
    private readonly List<string> _seen = [];
    private readonly Barrier _started = new();
    private readonly Barrier _ended = new();

    [Fact]
    public async Task Defer_ClientLeavesMeanwhile_TokenFiresRightAfter()
    {
        await RunAsync(async (feature, aborted) =>
        {
            using (feature.DeferCancellation(Cap))
            using (feature.DeferCancellation(Cap))
            {
                await StartAndLeaveAsync(feature);
                Note($"inside: {aborted.IsCancellationRequested}, work cancelled: {feature.IsWorkCancelled}");
            }

            Note($"after: {aborted.IsCancellationRequested}, work cancelled: {feature.IsWorkCancelled}");
            aborted.ThrowIfCancellationRequested();
        });

        Assert.Equal(["inside: False, work cancelled: False", "after: True, work cancelled: True", "Cancelled"], _seen);
        Assert.Equal(0, _clock.PendingTimers);
    }

    [Fact]
    public async Task Defer_WorkEndsInside_NothingWasCancelled()
    {
        await RunAsync(async (feature, aborted) =>
        {
            using var commit = feature.DeferCancellation(Cap);
            await StartAndLeaveAsync(feature);
            Note($"inside: {aborted.IsCancellationRequested}");
        });

        Assert.Equal(["inside: False", "Completed"], _seen);
    }

    [Fact]
    public async Task Defer_TimeIsOver_TokenFires()
    {
        await RunAsync(async (feature, aborted) =>
        {
            using var commit = feature.DeferCancellation(Cap);
            await StartAndLeaveAsync(feature);
            _clock.Advance(Cap - TimeSpan.FromTicks(1));
            Note($"before: {aborted.IsCancellationRequested}");
            _clock.Advance(TimeSpan.FromTicks(1));
            Note($"over: {aborted.IsCancellationRequested}");
            aborted.ThrowIfCancellationRequested();
        });

        Assert.Equal(["before: False", "over: True", "Cancelled"], _seen);
    }

    [Fact]
    public async Task Defer_PolicysTimeIsOverMeanwhile_TokenFiresRightAfter()
    {
        await RunAsync(
            async (feature, aborted) =>
            {
                using (feature.DeferCancellation(TimeSpan.FromMinutes(1)))
                {
                    await StartAndLeaveAsync(feature);
                    _clock.Advance(TimeSpan.FromSeconds(10));
                    Note($"inside: {aborted.IsCancellationRequested}");
                }

                Note($"after: {aborted.IsCancellationRequested}");
                aborted.ThrowIfCancellationRequested();
            },
            endpoint => endpoint.CompleteOnClientAbort(TimeSpan.FromSeconds(10)));

        Assert.Equal(["inside: False", "after: True", "Expired"], _seen);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(86_401)]
    public async Task Defer_CapOutOfRange_Throws(int seconds)
    {
        await RunAsync(async (feature, aborted) =>
        {
            var exception = Assert.Throws<ArgumentOutOfRangeException>(() => feature.DeferCancellation(TimeSpan.FromSeconds(seconds)));
            Note(exception.ParamName!);
            await StartAndLeaveAsync(feature);
            Note($"token: {aborted.IsCancellationRequested}");
            aborted.ThrowIfCancellationRequested();
        });

        Assert.Equal(["cap", "token: True", "Cancelled"], _seen);
    }

    private async Task StartAndLeaveAsync(IClientAbortFeature feature)
    {
        _started.Open();
        await AbortTestApp.SignalledAsync(feature.ClientAborted);
    }

    private void Note(string text) => _seen.Add(text);

    private async Task RunAsync(
        Func<IClientAbortFeature, CancellationToken, Task> handle, Action<IEndpointConventionBuilder>? configure = null)
    {
        await using var host = await KestrelTestHost.StartAsync(
            app =>
            {
                app.UseEndBarrier("/", _ended);
                app.UseClientAbortTolerance();
                var endpoint = app.MapGet("/", (HttpContext context, CancellationToken aborted) =>
                    handle(context.Features.GetRequiredFeature<IClientAbortFeature>(), aborted));
                configure?.Invoke(endpoint);
            },
            builder => builder.Services.AddSingleton<TimeProvider>(_clock));
        await using var client = await RawHttpClient.ConnectAsync(host.Address);
        await client.SendGetAsync("/");
        await _started.PassedAsync();
        client.Leave(Departure.Rst);
        await _ended.PassedAsync();
        await host.StopAsync();
        Note(host.Logs.Only("ClientAborted").Message.Split("its handler ")[1].Split(' ')[0]);
    }
}
