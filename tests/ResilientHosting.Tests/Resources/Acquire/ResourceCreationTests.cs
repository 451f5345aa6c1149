using Microsoft.Extensions.DependencyInjection;
using ResilientHosting.Resources;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Resources;

/// <summary>Factories that fail, hang, come too late, or need one another.</summary>
public sealed class ResourceCreationTests : ResourceScopeTest
{
    [Fact]
    public async Task GetAsync_FactoryFails_ConcurrentCallersShareTheExceptionAndTheNextCallTriesAgain()
    {
        var gate = NewGate<Alpha>();
        var runs = 0;
        await using var scope = OpenScope(services => services.AddRequestScopedResource<Alpha>(
            async (_, _) => Interlocked.Increment(ref runs) == 1 ? await gate.Task : Ledger.Create<Alpha>(), Ledger.TearDown));
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
    public async Task GetAsync_FactoryExceedsCreateTimeout_CallersFailAndTheLateObjectIsTornDownAsAbandoned()
    {
        var gate = NewGate<Alpha>();
        CancellationToken given = default;
        var runs = 0;
        await using var scope = OpenScope(services => services.AddRequestScopedResource<Alpha>(
            async (_, token) =>
            {
                given = token;
                return ++runs == 1 ? await gate.Task : Ledger.Create<Alpha>();
            },
            Ledger.TearDown));

        var call = scope.GetAsync<Alpha>(Test);
        Time.Advance(CreateTimeout);

        var exception = await Assert.ThrowsAsync<TimeoutException>(() => call.Bounded());
        Assert.Equal(
            "Resource Alpha was not created within 00:00:15 in scope 'test'. Raise RequestResourceOptions.CreateTimeout if its backend is " +
            "slow; if its factory waits for another resource, it must ask for it with ResourceContext.GetAsync.",
            exception.Message);
        var retried = await scope.GetAsync<Alpha>(Test).Bounded();
        Assert.True(given.CanBeCanceled);

        var late = Ledger.Create<Alpha>();
        gate.SetResult(late);
        Assert.Equal(ScopeOutcomeKind.Abandoned, (await Ledger.NextOutcomeAsync()).Kind);
        Assert.Equal((1, 0), (late.Teardowns, retried.Teardowns));
    }

    [Fact]
    public async Task ScopeEnds_WhileCreating_TheLateObjectIsTornDownAsAbandonedBeforeOlderOnes()
    {
        var gate = NewGate();
        var scope = OpenScope(services =>
        {
            services.AddTracked<Alpha>(Ledger);
            services.AddRequestScopedResource<Beta>(
                async (context, token) =>
                {
                    await context.GetAsync<Alpha>(token);
                    await gate.Task;
                    Assert.True(token.IsCancellationRequested);
                    return Ledger.Create<Beta>();
                },
                Ledger.TearDown);
        });

        var waiting = scope.GetAsync<Beta>(Test);
        var ending = scope.DisposeAsync();
        Assert.False(ending.IsCompleted);
        gate.SetResult();
        await ending.Bounded();

        await Assert.ThrowsAsync<ResourceScopeClosedException>(() => waiting.Bounded());
        Assert.Equal(["+Alpha", "+Beta", "-Beta", "-Alpha"], Ledger.Events);
        Assert.Equal(ScopeOutcomeKind.Abandoned, (await Ledger.NextOutcomeAsync()).Kind);
    }

    [Fact]
    public async Task ScopeEnds_FactoryHonoursItsToken_CallersLearnThatTheScopeClosed()
    {
        var scope = OpenScope(services => services.AddRequestScopedResource<Alpha>(async (_, token) =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token);
            return Ledger.Create<Alpha>();
        }));

        var waiting = scope.GetAsync<Alpha>(Test);
        await scope.DisposeAsync().Bounded();

        var exception = await Assert.ThrowsAsync<ResourceScopeClosedException>(() => waiting.Bounded());
        Assert.Equal(("test", ScopeOutcomeKind.Abandoned), (exception.ScopeName, exception.Outcome.Kind));
        Assert.Empty(Ledger.Created);
    }

    [Fact]
    public async Task ScopeEnds_FactoryHangs_WaitsNoLongerThanTheCreateTimeout()
    {
        var gate = NewGate<Alpha>();
        var scope = OpenScope(services => services.AddRequestScopedResource<Alpha>(async (_, _) => await gate.Task, Ledger.TearDown));
        var waiting = scope.GetAsync<Alpha>(Test);

        var ending = scope.DisposeAsync().AsTask();
        Time.Advance(CreateTimeout);

        await ending.Bounded();
        await Assert.ThrowsAsync<TimeoutException>(() => waiting.Bounded());
        var late = Ledger.Create<Alpha>();
        gate.SetResult(late);
        Assert.Equal(ScopeOutcomeKind.Abandoned, (await Ledger.NextOutcomeAsync()).Kind);
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
                return new(Ledger.Create<Alpha>());
            },
            Ledger.TearDown)))
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

    private sealed class Disposable(Action dispose) : IDisposable
    {
        public void Dispose() => dispose();
    }
}
