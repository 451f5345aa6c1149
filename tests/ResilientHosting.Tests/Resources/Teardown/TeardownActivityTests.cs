using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using ResilientHosting.Resources;

namespace ResilientHosting.Tests.Resources;

public sealed class TeardownActivityTests
{
    private static CancellationToken Test => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(Server.Kestrel, false)]
    [InlineData(Server.Kestrel, true)]
    [InlineData(Server.TestServer, false)]
    [InlineData(Server.TestServer, true)]
    public async Task Teardown_IsAChildOfTheRequestsActivity_AlsoAfterTheResponse(Server server, bool detach)
    {
        using var recorder = new ActivityRecorder("Microsoft.AspNetCore");
        ActivityTraceId requestTrace = default;
        ActivitySpanId requestSpan = default;
        var host = await ResourceTestHost.StartAsync(
            server,
            services =>
            {
                var alpha = services.AddRequestScopedResource("traced", (_, _) => ValueTask.FromResult(new Alpha()));
                _ = detach ? alpha.DetachTeardown() : alpha;
            },
            app => app.MapGet("/", async ([FromKeyedServices("traced")] IRequestResource<Alpha> alpha, CancellationToken aborted) =>
            {
                var request = Activity.Current!;
                (requestTrace, requestSpan) = (request.TraceId, request.SpanId);

                // Created within a span that is over when the teardown runs.
                using var inner = new Activity("inner").Start();
                await alpha.GetAsync(aborted);
            }));

        await host.Client.GetStringAsync("/", Test);
        await host.DisposeAsync();

        var teardown = Assert.Single(recorder.Stopped, activity => activity.TraceId == requestTrace && activity.OperationName == "resource.teardown");
        Assert.Equal(requestSpan, teardown.ParentSpanId);
        Assert.Equal("Alpha 'traced'", teardown.GetTagItem("resilient_hosting.resource.name"));
        Assert.Equal("Succeeded", teardown.GetTagItem("resilient_hosting.scope.outcome"));
        Assert.Equal(ActivityStatusCode.Unset, teardown.Status);
    }

    [Fact]
    public async Task Teardown_OutsideARequest_IsAChildOfWhatOpenedTheScopeAndTellsItsFailure()
    {
        using var recorder = new ActivityRecorder("ResilientHosting");
        using var job = new Activity("job").Start();
        var (services, logs) = ResourceTestHost.BuildServices(collection =>
            collection.AddRequestScopedResource<Alpha>((_, _) => new(new Alpha()), (_, _) => throw new NotSupportedException("cannot close")));
        logs.Expect("TeardownFailed");
        await using var root = services;

        await root.RunInResourceScopeAsync("job", async (scope, token) => await scope.GetAsync<Alpha>(token), Test);

        var teardown = Assert.Single(recorder.Stopped, activity => activity.TraceId == job.TraceId);
        Assert.Equal((job.SpanId, ActivityStatusCode.Error, "cannot close"), (teardown.ParentSpanId, teardown.Status, teardown.StatusDescription));
        Assert.Equal("System.NotSupportedException", teardown.GetTagItem("error.type"));
        Assert.Same(job, Activity.Current);
    }

    [Fact]
    public async Task Teardown_CodeInsideIt_SeesItAsCurrent()
    {
        using var recorder = new ActivityRecorder("ResilientHosting");
        using var job = new Activity("job").Start();
        Activity? current = null;
        var (services, _) = ResourceTestHost.BuildServices(collection => collection.AddRequestScopedResource<Alpha>(
            (_, _) => new(new Alpha()),
            (_, _) =>
            {
                current = Activity.Current;
                return default;
            }));
        await using var root = services;

        await root.RunInResourceScopeAsync("job", async (scope, token) => await scope.GetAsync<Alpha>(token), Test);

        Assert.Equal("resource.teardown", current!.OperationName);
        Assert.Equal(job.SpanId, current.ParentSpanId);
    }

    [Fact]
    public async Task GivingBackToAPool_IsNoTeardown()
    {
        using var recorder = new ActivityRecorder("ResilientHosting");
        using var job = new Activity("job").Start();
        var (services, _) = ResourceTestHost.BuildServices(collection =>
            collection.AddRequestScopedResource<Alpha>((_, _) => new(new Alpha())).SharedPerHost());
        await using var root = services;

        await root.RunInResourceScopeAsync("job", async (scope, token) => await scope.GetAsync<Alpha>(token), Test);

        Assert.DoesNotContain(recorder.Stopped, activity => activity.TraceId == job.TraceId);
    }

    /// <summary>Listens to this library's activities. Other tests run at the same time: a test recognises its own by their trace.</summary>
    private sealed class ActivityRecorder : IDisposable
    {
        private readonly ActivityListener _listener;

        public ActivityRecorder(params string[] alsoListenTo)
        {
            _listener = new ActivityListener
            {
                ShouldListenTo = source => source.Name == "ResilientHosting" || alsoListenTo.Contains(source.Name),
                Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
                ActivityStopped = Stopped.Enqueue,
            };
            ActivitySource.AddActivityListener(_listener);
        }

        public ConcurrentQueue<Activity> Stopped { get; } = new();

        public void Dispose() => _listener.Dispose();
    }
}
