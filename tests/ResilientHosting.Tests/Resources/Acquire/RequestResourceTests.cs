using Microsoft.Extensions.DependencyInjection;
using ResilientHosting.Resources;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Resources;

public sealed class RequestResourceTests : IAsyncDisposable
{
    private static readonly TimeSpan CreateTimeout = new RequestResourceOptions().CreateTimeout;

    private readonly Ledger _ledger = new();
    private readonly ManualTimeProvider _time = new();
    private ServiceProvider? _services;
    private LogCollector? _logs;

    private static CancellationToken Test => TestContext.Current.CancellationToken;

    [Fact]
    public async Task GetAsync_Repeated_ReturnsTheSameObjectSynchronously()
    {
        await using var scope = OpenScope(services => services.AddTracked<Alpha>(_ledger));
        var resource = scope.Services.GetRequiredService<IRequestResource<Alpha>>();
        Assert.False(resource.IsCreated);
        Assert.False(resource.TryGet(out _));

        var first = await resource.GetAsync(Test);
        var second = resource.GetAsync(Test);

        Assert.True(second.IsCompletedSuccessfully);
        Assert.Same(first, await second);
        Assert.True(resource.IsCreated);
        Assert.True(resource.TryGet(out var got));
        Assert.Same(first, got);
    }

    [Fact]
    public async Task GetAsync_Repeated_AllocatesNothing()
    {
        await using var scope = OpenScope(services => services.AddTracked<Alpha>(_ledger));
        var resource = scope.Services.GetRequiredService<IRequestResource<Alpha>>();
        await resource.GetAsync(Test);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            await resource.GetAsync(CancellationToken.None);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public async Task GetAsync_Concurrent_RunsTheFactoryOnce()
    {
        var gate = NewGate<Alpha>();
        await using var scope = OpenScope(services => services.AddRequestScopedResource<Alpha>(async (_, _) => await gate.Task, _ledger.TearDown));
        var resource = scope.Services.GetRequiredService<IRequestResource<Alpha>>();

        var callers = Enumerable.Range(0, 8).Select(_ => resource.GetAsync(Test).AsTask()).ToList();
        Assert.All(callers, caller => Assert.False(caller.IsCompleted));
        var alpha = _ledger.Create<Alpha>();
        gate.SetResult(alpha);

        Assert.All(await Task.WhenAll(callers).Bounded(), got => Assert.Same(alpha, got));
    }

    [Fact]
    public async Task GetAsync_FactoryFails_ConcurrentCallersShareTheExceptionAndTheNextCallTriesAgain()
    {
        var gate = NewGate<Alpha>();
        var runs = 0;
        await using var scope = OpenScope(services => services.AddRequestScopedResource<Alpha>(
            async (_, _) => Interlocked.Increment(ref runs) == 1 ? await gate.Task : _ledger.Create<Alpha>(), _ledger.TearDown));
        var resource = scope.Services.GetRequiredService<IRequestResource<Alpha>>();

        var callers = Enumerable.Range(0, 3).Select(_ => resource.GetAsync(Test).AsTask()).ToList();
        var refused = new TimeoutException("backend refused");
        gate.SetException(refused);

        foreach (var caller in callers)
        {
            Assert.Same(refused, await Assert.ThrowsAsync<TimeoutException>(() => caller.Bounded()));
        }

        Assert.Equal(1, runs);
        Assert.NotNull(await resource.GetAsync(Test).Bounded());
        Assert.Equal(2, runs);
    }

    [Fact]
    public async Task GetAsync_FactoryThrowsSynchronously_FailsTheReturnedTask()
    {
        await using var scope = OpenScope(services => services.AddRequestScopedResource<Alpha>((_, _) => throw new NotSupportedException("no")));

        var call = scope.GetAsync<Alpha>(Test);

        await Assert.ThrowsAsync<NotSupportedException>(() => call.Bounded());
    }

    [Fact]
    public async Task GetAsync_FactoryReturnsNull_SaysSo()
    {
        await using var scope = OpenScope(services => services.AddRequestScopedResource<Alpha>((_, _) => new((Alpha)null!)));

        var exception = await Assert.ThrowsAsync<InvalidOperationException>(() => scope.GetAsync<Alpha>(Test).Bounded());

        Assert.Equal("The factory of resource Alpha returned null. Return an object, or throw to say why there is none.", exception.Message);
    }

    [Fact]
    public async Task GetAsync_CallerCancels_EndsOnlyItsWait()
    {
        var gate = NewGate<Alpha>();
        CancellationToken given = default;
        await using var scope = OpenScope(services => services.AddRequestScopedResource<Alpha>(
            async (_, token) =>
            {
                given = token;
                return await gate.Task;
            },
            _ledger.TearDown));
        using var impatient = CancellationTokenSource.CreateLinkedTokenSource(Test);

        var leaving = scope.GetAsync<Alpha>(impatient.Token);
        var staying = scope.GetAsync<Alpha>(Test);
        await impatient.CancelAsync();

        var cancelled = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaving.Bounded());
        Assert.Equal(impatient.Token, cancelled.CancellationToken);
        Assert.False(given.IsCancellationRequested);
        var alpha = _ledger.Create<Alpha>();
        gate.SetResult(alpha);
        Assert.Same(alpha, await staying.Bounded());
    }

    [Fact]
    public async Task GetAsync_AllCallersCancel_TheObjectIsKeptForTheNext()
    {
        var gate = NewGate<Alpha>();
        await using var scope = OpenScope(services => services.AddRequestScopedResource<Alpha>(async (_, _) => await gate.Task, _ledger.TearDown));
        using var impatient = CancellationTokenSource.CreateLinkedTokenSource(Test);
        var leaving = scope.GetAsync<Alpha>(impatient.Token);
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaving.Bounded());

        var next = scope.GetAsync<Alpha>(Test);
        var alpha = _ledger.Create<Alpha>();
        gate.SetResult(alpha);

        Assert.Same(alpha, await next.Bounded());
        Assert.Single(_ledger.Created);
    }

    [Fact]
    public async Task GetAsync_TokenAlreadyCancelled_DoesNotStartTheFactory()
    {
        await using var scope = OpenScope(services => services.AddTracked<Alpha>(_ledger));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => scope.GetAsync<Alpha>(new CancellationToken(canceled: true)).Bounded());

        Assert.Empty(_ledger.Created);
    }

    [Fact]
    public async Task GetAsync_FactoryExceedsCreateTimeout_CallersFailAndTheLateObjectIsTornDownAsAbandoned()
    {
        var gate = NewGate<Alpha>();
        CancellationToken given = default;
        var runs = 0;
        await using var scope = OpenScope(services => services.AddRequestScopedResource<Alpha>(
            async (_, token) =>
            {
                given = token;
                return ++runs == 1 ? await gate.Task : _ledger.Create<Alpha>();
            },
            _ledger.TearDown));

        var call = scope.GetAsync<Alpha>(Test);
        _time.Advance(CreateTimeout);

        var exception = await Assert.ThrowsAsync<TimeoutException>(() => call.Bounded());
        Assert.Equal(
            "Resource Alpha was not created within 00:00:15 in scope 'test'. Raise RequestResourceOptions.CreateTimeout if its backend is " +
            "slow; if its factory waits for another resource, it must ask for it with ResourceContext.GetAsync.",
            exception.Message);
        var retried = await scope.GetAsync<Alpha>(Test).Bounded();
        Assert.True(given.CanBeCanceled);

        var late = _ledger.Create<Alpha>();
        gate.SetResult(late);
        Assert.Equal(ScopeOutcomeKind.Abandoned, (await _ledger.NextOutcomeAsync()).Kind);
        Assert.Equal((1, 0), (late.Teardowns, retried.Teardowns));
    }

    [Fact]
    public async Task ScopeEnds_WhileCreating_TheLateObjectIsTornDownAsAbandonedBeforeOlderOnes()
    {
        var gate = NewGate();
        var scope = OpenScope(services =>
        {
            services.AddTracked<Alpha>(_ledger);
            services.AddRequestScopedResource<Beta>(
                async (context, token) =>
                {
                    await context.GetAsync<Alpha>(token);
                    await gate.Task;
                    Assert.True(token.IsCancellationRequested);
                    return _ledger.Create<Beta>();
                },
                _ledger.TearDown);
        });

        var waiting = scope.GetAsync<Beta>(Test);
        var ending = scope.DisposeAsync();
        Assert.False(ending.IsCompleted);
        gate.SetResult();
        await ending.Bounded();

        await Assert.ThrowsAsync<ResourceScopeClosedException>(() => waiting.Bounded());
        Assert.Equal(["+Alpha", "+Beta", "-Beta", "-Alpha"], _ledger.Events);
        Assert.Equal(ScopeOutcomeKind.Abandoned, (await _ledger.NextOutcomeAsync()).Kind);
    }

    [Fact]
    public async Task ScopeEnds_FactoryHonoursItsToken_CallersLearnThatTheScopeClosed()
    {
        var scope = OpenScope(services => services.AddRequestScopedResource<Alpha>(async (_, token) =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token);
            return _ledger.Create<Alpha>();
        }));

        var waiting = scope.GetAsync<Alpha>(Test);
        await scope.DisposeAsync().Bounded();

        var exception = await Assert.ThrowsAsync<ResourceScopeClosedException>(() => waiting.Bounded());
        Assert.Equal(("test", ScopeOutcomeKind.Abandoned), (exception.ScopeName, exception.Outcome.Kind));
        Assert.Empty(_ledger.Created);
    }

    [Fact]
    public async Task ScopeEnds_FactoryHangs_WaitsNoLongerThanTheCreateTimeout()
    {
        var gate = NewGate<Alpha>();
        var scope = OpenScope(services => services.AddRequestScopedResource<Alpha>(async (_, _) => await gate.Task, _ledger.TearDown));
        var waiting = scope.GetAsync<Alpha>(Test);

        var ending = scope.DisposeAsync().AsTask();
        _time.Advance(CreateTimeout);

        await ending.Bounded();
        await Assert.ThrowsAsync<TimeoutException>(() => waiting.Bounded());
        var late = _ledger.Create<Alpha>();
        gate.SetResult(late);
        Assert.Equal(ScopeOutcomeKind.Abandoned, (await _ledger.NextOutcomeAsync()).Kind);
    }

    [Fact]
    public async Task GetAsync_AfterTheScopeEnded_NamesScopeAgeAndOutcome()
    {
        var scope = OpenScope(services => services.AddTracked<Alpha>(_ledger));
        var resource = scope.Services.GetRequiredService<IRequestResource<Alpha>>();
        await resource.GetAsync(Test);
        scope.Complete();
        await scope.DisposeAsync();
        _time.Advance(TimeSpan.FromSeconds(90));

        var exception = await Assert.ThrowsAsync<ResourceScopeClosedException>(() => resource.GetAsync(Test).Bounded());

        Assert.Equal(
            "Resource Alpha cannot be created: its scope 'test' ended 00:01:30 ago with outcome Succeeded. Work that outlives its scope " +
            "opens its own with RunInResourceScopeAsync or CreateResourceScope on the host's services, or takes the object along with Detach().",
            exception.Message);
        Assert.Equal(TimeSpan.FromSeconds(90), exception.Age);
        Assert.False(resource.IsCreated);
        await Assert.ThrowsAsync<ResourceScopeClosedException>(() => scope.GetAsync<Alpha>(Test).Bounded());
    }

    [Fact]
    public async Task Factories_NeedOneAnother_ReportTheCircle()
    {
        await using var scope = OpenScope(services =>
        {
            services.AddRequestScopedResource<Alpha>(async (context, token) =>
            {
                await context.GetAsync<Beta>(token);
                return new Alpha();
            });
            services.AddRequestScopedResource<Beta>(async (context, token) =>
            {
                await Task.Yield();
                await context.GetAsync<Alpha>(token);
                return new Beta();
            });
        });

        var exception = await Assert.ThrowsAsync<ResourceCycleException>(() => scope.GetAsync<Alpha>(Test).Bounded());

        Assert.Equal(["Alpha", "Beta", "Alpha"], exception.Path);
        Assert.Equal(
            "The factories of these resources wait for one another: Alpha → Beta → Alpha. Break the circle: let one of them take what " +
            "both need from a third resource.",
            exception.Message);
    }

    [Fact]
    public async Task Factories_NeedOneAnotherFromTwoSides_ReportTheCircleInsteadOfWaitingForEver()
    {
        var bothRunning = new Barrier(2);
        await using var scope = OpenScope(services =>
        {
            services.AddRequestScopedResource<Alpha>(async (context, token) =>
            {
                Assert.True(bothRunning.SignalAndWait(KestrelTestHost.Timeout, token));
                await context.GetAsync<Beta>(token);
                return new Alpha();
            });
            services.AddRequestScopedResource<Beta>(async (context, token) =>
            {
                Assert.True(bothRunning.SignalAndWait(KestrelTestHost.Timeout, token));
                await context.GetAsync<Alpha>(token);
                return new Beta();
            });
        });

        var alpha = Task.Run(() => scope.GetAsync<Alpha>(Test).AsTask(), Test);
        var beta = Task.Run(() => scope.GetAsync<Beta>(Test).AsTask(), Test);

        await Assert.ThrowsAsync<ResourceCycleException>(() => alpha.Bounded());
        await Assert.ThrowsAsync<ResourceCycleException>(() => beta.Bounded());
    }

    [Fact]
    public async Task Factory_Fails_UnfinishedObjectsAreDisposedNewestFirst()
    {
        var disposed = new List<string>();
        await using var scope = OpenScope(services => services.AddRequestScopedResource<Alpha>(async (context, _) =>
        {
            context.OnFailure(new Disposable(() => disposed.Add("socket")));
            context.OnFailure(new Disposable(() => disposed.Add("session")));
            await Task.Yield();
            throw new NotSupportedException("handshake refused");
        }));

        await Assert.ThrowsAsync<NotSupportedException>(() => scope.GetAsync<Alpha>(Test).Bounded());

        Assert.Equal(["session", "socket"], disposed);
    }

    [Fact]
    public async Task Factory_Succeeds_ObjectsHandedOverAreLeftAlone()
    {
        var disposed = new List<string>();
        await using (var scope = OpenScope(services => services.AddRequestScopedResource<Alpha>(
            (context, _) =>
            {
                context.OnFailure(new Disposable(() => disposed.Add("socket")));
                return new(_ledger.Create<Alpha>());
            },
            _ledger.TearDown)))
        {
            await scope.GetAsync<Alpha>(Test);
        }

        Assert.Empty(disposed);
    }

    [Fact]
    public async Task OnFailure_NotDisposable_SaysWhatToDo()
    {
        await using var scope = OpenScope(services => services.AddRequestScopedResource<Alpha>((context, _) =>
        {
            context.OnFailure(new object());
            return new(new Alpha());
        }));

        var exception = await Assert.ThrowsAsync<ArgumentException>(() => scope.GetAsync<Alpha>(Test).Bounded());

        Assert.StartsWith(
            "OnFailure disposes of the object when the creation fails, but System.Object implements neither IAsyncDisposable nor IDisposable. " +
            "Clean it up in a catch block of the factory instead.",
            exception.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task ReleaseAsync_ThenGetAsync_MakesANewObject()
    {
        await using var scope = OpenScope(services => services.AddTracked<Alpha>(_ledger));
        var resource = scope.Services.GetRequiredService<IRequestResource<Alpha>>();
        await resource.ReleaseAsync();
        var first = await resource.GetAsync(Test);

        await resource.ReleaseAsync();

        Assert.False(resource.IsCreated);
        Assert.Equal(1, first.Teardowns);
        Assert.Equal(ScopeOutcomeKind.Succeeded, (await _ledger.NextOutcomeAsync()).Kind);
        Assert.NotSame(first, await resource.GetAsync(Test));
        var fault = new InvalidOperationException("the work failed");
        await resource.ReleaseAsync(fault);
        Assert.Equal(new ScopeOutcome(ScopeOutcomeKind.Faulted, fault), await _ledger.NextOutcomeAsync());
    }

    [Fact]
    public async Task GetAsync_WhileTheReleaseIsRunning_WaitsForItsEnd()
    {
        var gate = NewGate();
        await using var scope = OpenScope(services => services.AddRequestScopedResource<Alpha>(
            (_, _) => new(_ledger.Create<Alpha>()),
            async (alpha, context) =>
            {
                await gate.Task;
                await _ledger.TearDown(alpha, context);
            }));
        var resource = scope.Services.GetRequiredService<IRequestResource<Alpha>>();
        await resource.GetAsync(Test);

        var release = resource.ReleaseAsync();
        var sameRelease = resource.ReleaseAsync();
        var next = resource.GetAsync(Test);
        var someoneDidNotWait = release.IsCompleted || sameRelease.IsCompleted || next.IsCompleted;
        gate.SetResult();

        await next.Bounded();
        await release.Bounded();
        await sameRelease.Bounded();
        Assert.False(someoneDidNotWait);
        Assert.Equal(["+Alpha", "-Alpha", "+Alpha"], _ledger.Events);
    }

    [Fact]
    public async Task ReleaseAsync_TeardownFails_ThrowsToTheCallerAndIsNotLogged()
    {
        await using var scope = OpenScope(services => services.AddRequestScopedResource<Alpha>(
            (_, _) => new(new Alpha()), (_, _) => throw new NotSupportedException("commit refused")));
        var resource = scope.Services.GetRequiredService<IRequestResource<Alpha>>();
        await resource.GetAsync(Test);

        await Assert.ThrowsAsync<NotSupportedException>(() => resource.ReleaseAsync().Bounded());

        Assert.False(resource.IsCreated);
    }

    [Fact]
    public async Task Detach_HandsTheObjectOverWithoutTeardown()
    {
        Alpha detached;
        await using (var scope = OpenScope(services => services.AddTracked<Alpha>(_ledger)))
        {
            var resource = scope.Services.GetRequiredService<IRequestResource<Alpha>>();
            var created = await resource.GetAsync(Test);

            detached = resource.Detach();

            Assert.Same(created, detached);
            var exception = Assert.Throws<InvalidOperationException>(() => resource.Detach());
            Assert.Equal(
                "Resource Alpha cannot be detached: scope 'test' has no object of it now. Call GetAsync first, or check IsCreated.", exception.Message);
            Assert.NotSame(created, await resource.GetAsync(Test));
        }

        Assert.Equal(0, detached.Teardowns);
        Assert.Equal(["+Alpha", "+Alpha", "-Alpha"], _ledger.Events);
    }

    [Fact]
    public async Task NamedResources_OfOneType_AreSeparateObjects()
    {
        await using var scope = OpenScope(services =>
        {
            services.AddTracked<Alpha>(_ledger);
            services.AddRequestScopedResource<Alpha>("search", (_, _) => new(_ledger.Create<Alpha>()), _ledger.TearDown);
            services.AddRequestScopedResource<Beta>(async (context, token) =>
            {
                Assert.NotSame(await context.GetAsync<Alpha>(token), await context.GetAsync<Alpha>("search", token));
                return new Beta();
            });
        });

        await scope.GetAsync<Beta>(Test);

        Assert.Same(
            await scope.GetAsync<Alpha>("search", Test),
            await scope.Services.GetRequiredKeyedService<IRequestResource<Alpha>>("search").GetAsync(Test));
        Assert.Equal(2, _ledger.Created.Count);
    }

    [Fact]
    public async Task GetAsync_NotRegistered_NamesTheCallThatIsMissing()
    {
        await using var scope = OpenScope(services => services.AddRequestScopedResource<Alpha>((_, _) => new(new Alpha())));

        var exception = await Assert.ThrowsAsync<InvalidOperationException>(() => scope.GetAsync<List<int>>("x", Test).Bounded());

        Assert.Equal(
            "No request-scoped resource List<Int32> 'x' is registered. Register it with services.AddRequestScopedResource<List<Int32>>(\"x\", …).",
            exception.Message);
    }

    public async ValueTask DisposeAsync()
    {
        if (_services is not null)
        {
            await _services.DisposeAsync();
        }

        _logs?.AssertQuiet();
    }

    private static TaskCompletionSource<T> NewGate<T>() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static TaskCompletionSource NewGate() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ResourceScope OpenScope(Action<IServiceCollection> configure)
    {
        (_services, _logs) = ResourceTestHost.BuildServices(configure, _time);
        return _services.CreateResourceScope("test");
    }

    private sealed class Disposable(Action dispose) : IDisposable
    {
        public void Dispose() => dispose();
    }
}
