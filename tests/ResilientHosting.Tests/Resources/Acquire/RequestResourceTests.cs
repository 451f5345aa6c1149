using Microsoft.Extensions.DependencyInjection;
using ResilientHosting.Resources;

namespace ResilientHosting.Tests.Resources;

/// <summary>What a user of a resource gets, and when.</summary>
public sealed class RequestResourceTests : ResourceScopeTest
{
    [Fact]
    public async Task GetAsync_Repeated_ReturnsTheSameObjectSynchronously()
    {
        await using var scope = OpenScope(services => services.AddTracked<Alpha>(Ledger));
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
        await using var scope = OpenScope(services => services.AddTracked<Alpha>(Ledger));
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
        await using var scope = OpenScope(services => services.AddRequestScopedResource<Alpha>(async (_, _) => await gate.Task, Ledger.TearDown));
        var resource = scope.Services.GetRequiredService<IRequestResource<Alpha>>();

        var callers = Enumerable.Range(0, 8).Select(_ => resource.GetAsync(Test).AsTask()).ToList();
        Assert.All(callers, caller => Assert.False(caller.IsCompleted));
        var alpha = Ledger.Create<Alpha>();
        gate.SetResult(alpha);

        Assert.All(await Task.WhenAll(callers).Bounded(), got => Assert.Same(alpha, got));
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
            Ledger.TearDown));
        using var impatient = CancellationTokenSource.CreateLinkedTokenSource(Test);

        var leaving = scope.GetAsync<Alpha>(impatient.Token);
        var staying = scope.GetAsync<Alpha>(Test);
        await impatient.CancelAsync();

        var cancelled = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaving.Bounded());
        Assert.Equal(impatient.Token, cancelled.CancellationToken);
        Assert.False(given.IsCancellationRequested);
        var alpha = Ledger.Create<Alpha>();
        gate.SetResult(alpha);
        Assert.Same(alpha, await staying.Bounded());
    }

    [Fact]
    public async Task GetAsync_AllCallersCancel_TheObjectIsKeptForTheNext()
    {
        var gate = NewGate<Alpha>();
        await using var scope = OpenScope(services => services.AddRequestScopedResource<Alpha>(async (_, _) => await gate.Task, Ledger.TearDown));
        using var impatient = CancellationTokenSource.CreateLinkedTokenSource(Test);
        var leaving = scope.GetAsync<Alpha>(impatient.Token);
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaving.Bounded());

        var next = scope.GetAsync<Alpha>(Test);
        var alpha = Ledger.Create<Alpha>();
        gate.SetResult(alpha);

        Assert.Same(alpha, await next.Bounded());
        Assert.Single(Ledger.Created);
    }

    [Fact]
    public async Task GetAsync_TokenAlreadyCancelled_DoesNotStartTheFactory()
    {
        await using var scope = OpenScope(services => services.AddTracked<Alpha>(Ledger));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => scope.GetAsync<Alpha>(new CancellationToken(canceled: true)).Bounded());

        Assert.Empty(Ledger.Created);
    }

    [Fact]
    public async Task GetAsync_AfterTheScopeEnded_NamesScopeAgeAndOutcome()
    {
        var scope = OpenScope(services => services.AddTracked<Alpha>(Ledger));
        var resource = scope.Services.GetRequiredService<IRequestResource<Alpha>>();
        await resource.GetAsync(Test);
        scope.Complete();
        await scope.DisposeAsync();
        Time.Advance(TimeSpan.FromSeconds(90));

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
    public async Task ReleaseAsync_ThenGetAsync_MakesANewObject()
    {
        await using var scope = OpenScope(services => services.AddTracked<Alpha>(Ledger));
        var resource = scope.Services.GetRequiredService<IRequestResource<Alpha>>();
        await resource.ReleaseAsync();
        var first = await resource.GetAsync(Test);

        await resource.ReleaseAsync();

        Assert.False(resource.IsCreated);
        Assert.Equal(1, first.Teardowns);
        Assert.Equal(ScopeOutcomeKind.Succeeded, (await Ledger.NextOutcomeAsync()).Kind);
        Assert.NotSame(first, await resource.GetAsync(Test));
        var fault = new InvalidOperationException("the work failed");
        await resource.ReleaseAsync(fault);
        Assert.Equal(new ScopeOutcome(ScopeOutcomeKind.Faulted, fault), await Ledger.NextOutcomeAsync());
    }

    [Fact]
    public async Task GetAsync_WhileTheReleaseIsRunning_WaitsForItsEnd()
    {
        var gate = NewGate();
        await using var scope = OpenScope(services => services.AddRequestScopedResource<Alpha>(
            (_, _) => new(Ledger.Create<Alpha>()),
            async (alpha, context) =>
            {
                await gate.Task;
                await Ledger.TearDown(alpha, context);
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
        Assert.Equal(["+Alpha", "-Alpha", "+Alpha"], Ledger.Events);
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
        await using (var scope = OpenScope(services => services.AddTracked<Alpha>(Ledger)))
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
        Assert.Equal(["+Alpha", "+Alpha", "-Alpha"], Ledger.Events);
    }

    [Fact]
    public async Task NamedResources_OfOneType_AreSeparateObjects()
    {
        await using var scope = OpenScope(services =>
        {
            services.AddTracked<Alpha>(Ledger);
            services.AddRequestScopedResource<Alpha>("search", (_, _) => new(Ledger.Create<Alpha>()), Ledger.TearDown);
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
        Assert.Equal(2, Ledger.Created.Count);
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
}
