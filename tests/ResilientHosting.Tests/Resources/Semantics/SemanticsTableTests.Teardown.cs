using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using ResilientHosting.Resources;

namespace ResilientHosting.Tests.Resources;

/// <content>Where a teardown runs, and for how long.</content>
public sealed partial class SemanticsTableTests
{
    [Theory, MemberData(nameof(Servers))]
    public async Task AmbientStateInTeardown(Server server)
    {
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is "Microsoft.AspNetCore" or "ResilientHosting",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
        };
        ActivitySource.AddActivityListener(listener);
        var tenant = new AsyncLocal<string>();
        ActivitySpanId request = default;
        var seen = new TaskCompletionSource<(string? Tenant, string? Activity, ActivitySpanId Parent)>();
        var host = await StartAsync(
            server,
            services => services.AddRequestScopedResource<Alpha>((_, _) => new(_ledger.Create<Alpha>()), (alpha, end) =>
            {
                seen.SetResult((tenant.Value, Activity.Current?.OperationName, Activity.Current?.ParentSpanId ?? default));
                return _ledger.TearDown(alpha, end);
            }),
            app => app.MapGet("/", async (IRequestResource<Alpha> alpha) =>
            {
                tenant.Value = "tenant-7";
                request = Activity.Current!.SpanId;
                await UseAsync(alpha);
            }));

        await host.Client.GetStringAsync("/", Test);

        Assert.Equal(("tenant-7", "resource.teardown", request), await seen.Task.Bounded());
    }

    [Theory, MemberData(nameof(Servers))]
    public async Task TeardownTimeout(Server server)
    {
        var limit = TimeSpan.FromSeconds(3.5);
        var never = new TaskCompletionSource();
        CancellationToken deadline = default;
        var host = await StartAsync(
            server,
            services =>
            {
                services.Configure<RequestResourceOptions>(options => options.TeardownTimeout = limit);
                services.AddTracked<Alpha>(_ledger);
                services.AddRequestScopedResource<Beta>((_, _) => new(new Beta()), async (_, end) =>
                {
                    deadline = end.Deadline;
                    await never.Task;
                });
            },
            app => app.MapGet("/", async (IRequestResource<Alpha> alpha, IRequestResource<Beta> beta) =>
            {
                await UseAsync(alpha);
                await UseAsync(beta);
                return "answer";
            }));
        host.Logs.Expect("TeardownFailed");

        Assert.Equal("answer", await host.Client.GetStringAsync("/", Test));
        await _clock.WaitForTimerAsync(limit);
        var grace = limit + TimeSpan.FromSeconds(1);
        await _clock.WaitForTimerAsync(grace);
        _clock.Advance(limit);
        Assert.True(deadline.IsCancellationRequested);
        Assert.Empty(Teardowns());
        _clock.Advance(grace - limit);

        // Given up and reported; the others go on.
        Assert.Equal(ScopeOutcomeKind.Succeeded, (await _ledger.NextOutcomeAsync()).Kind);
        await host.DisposeAsync();
        Assert.StartsWith(
            "The teardown did not finish within 00:00:03.5", host.Logs.Only("TeardownFailed").Exception!.Message, StringComparison.Ordinal);
        never.SetResult();
    }
}
