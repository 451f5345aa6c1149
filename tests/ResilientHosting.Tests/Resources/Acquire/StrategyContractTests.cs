using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using ResilientHosting.Resources;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Resources;

public enum Strategy
{
    PerRequest,
    Pool,
    ObjectPool,
    SharedPerHost,
}

/// <summary>What users of a resource may rely on, whatever strategy its registration chose.</summary>
public sealed class StrategyContractTests : IAsyncDisposable
{
    // Short enough that a pool does not take a held creation for a hanging one and starts another.
    private static readonly TimeSpan Drain = TimeSpan.FromMilliseconds(50);

    private readonly Ledger _ledger = new();
    private readonly ManualTimeProvider _time = new();
    private readonly SemaphoreSlim _entered = new(0);
    private readonly Dictionary<string, long> _counts = [];
    private readonly MeterListener _listener = new();
    private Func<ValueTask<Alpha>> _create;
    private ServiceProvider? _services;
    private LogCollector _logs = new();
    private int _runs;
    private bool _stopped;

    public StrategyContractTests() => _create = () => new(_ledger.Create<Alpha>());

    public static TheoryData<Strategy> Strategies => [.. Enum.GetValues<Strategy>()];

    private static CancellationToken Test => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(Strategies))]
    public async Task GetAsync_Concurrent_RunsTheFactoryOnce(Strategy strategy)
    {
        var gate = Hold();
        await using var scope = Open(strategy);

        var callers = Enumerable.Range(0, 8).Select(_ => scope.GetAsync<Alpha>(Test).AsTask()).ToList();
        await EnteredAsync();
        gate.SetResult();

        Assert.Single((await Task.WhenAll(callers).Bounded()).Distinct());
        Assert.Equal(1, _runs);
    }

    [Theory, MemberData(nameof(Strategies))]
    public async Task GetAsync_WithinAScope_IsAlwaysTheSameObject(Strategy strategy)
    {
        await using var scope = Open(strategy);
        var first = await scope.GetAsync<Alpha>(Test).Bounded();
        var resource = scope.Services.GetRequiredService<IRequestResource<Alpha>>();

        Assert.True(resource.IsCreated);
        Assert.True(resource.TryGet(out var got));
        Assert.Same(first, got);
        var again = resource.GetAsync(Test);
        Assert.True(again.IsCompletedSuccessfully);
        Assert.Same(first, await again);
    }

    [Theory]
    [InlineData(Strategy.PerRequest, false, false)]
    [InlineData(Strategy.Pool, false, true)]
    [InlineData(Strategy.ObjectPool, false, true)]
    [InlineData(Strategy.SharedPerHost, true, true)]
    public async Task Scopes_ShareAnObject_AsTheStrategySays(Strategy strategy, bool atTheSameTime, bool oneAfterAnother)
    {
        var first = Open(strategy);
        var second = OpenAnother();
        var (one, two) = (await first.GetAsync<Alpha>(Test).Bounded(), await second.GetAsync<Alpha>(Test).Bounded());
        await first.DisposeAsync();
        await using var third = OpenAnother();
        var three = await third.GetAsync<Alpha>(Test).Bounded();
        await second.DisposeAsync();

        Assert.Equal(atTheSameTime, ReferenceEquals(one, two));
        Assert.Equal(oneAfterAnother, ReferenceEquals(one, three));
    }

    [Theory, MemberData(nameof(Strategies))]
    public async Task GetAsync_CreationFails_AllItsCallersSeeTheExceptionAndTheNextCallTriesAgain(Strategy strategy)
    {
        var gate = Hold();
        await using var scope = Open(strategy);
        var callers = Enumerable.Range(0, 3).Select(_ => scope.GetAsync<Alpha>(Test).AsTask()).ToList();
        await EnteredAsync();
        var refused = new NotSupportedException("backend refused");
        _create = () => new(_ledger.Create<Alpha>());
        gate.SetException(refused);

        foreach (var caller in callers)
        {
            Assert.Same(refused, await Assert.ThrowsAsync<NotSupportedException>(() => caller.Bounded()));
        }

        Assert.False(scope.Services.GetRequiredService<IRequestResource<Alpha>>().IsCreated);
        var next = scope.GetAsync<Alpha>(Test).AsTask();

        // A pool does not dial a backend that refused again at once.
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.NotNull(await next.Bounded());
        Assert.Equal(2, _runs);
    }

    [Theory, MemberData(nameof(Strategies))]
    public async Task GetAsync_CallerCancels_TheCreationGoesOnForTheOthers(Strategy strategy)
    {
        var gate = Hold();
        await using var scope = Open(strategy);
        using var impatient = CancellationTokenSource.CreateLinkedTokenSource(Test);
        var leaving = scope.GetAsync<Alpha>(impatient.Token).AsTask();
        await EnteredAsync();

        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaving.Bounded());
        var staying = scope.GetAsync<Alpha>(Test).AsTask();
        gate.SetResult();

        var got = await staying.Bounded();
        Assert.Same(Assert.Single(_ledger.Created), got);
        Assert.Equal(1, _runs);
    }

    [Theory, MemberData(nameof(Strategies))]
    public async Task Scope_EndsDuringACreation_WhatArrivesIsNotLost(Strategy strategy)
    {
        var gate = Hold();
        var scope = Open(strategy);
        var waiting = scope.GetAsync<Alpha>(Test).AsTask();
        await EnteredAsync();

        var ending = scope.DisposeAsync().AsTask();
        var endsWithItsOnlyUser = strategy is Strategy.PerRequest or Strategy.ObjectPool;
        if (endsWithItsOnlyUser)
        {
            gate.SetResult();
        }

        await Assert.ThrowsAsync<ResourceScopeClosedException>(() => waiting.Bounded());
        await ending.Bounded();
        gate.TrySetResult();
        await StopAsync();

        Assert.NotEqual(ScopeOutcomeKind.Succeeded, (await _ledger.NextOutcomeAsync()).Kind);
        Assert.Equal(1, _runs);
        _ledger.AssertBalanced();
    }

    [Theory, MemberData(nameof(Strategies))]
    public async Task ReleaseAsync_ThenGetAsync_HandsOutALivingObject(Strategy strategy)
    {
        await using var scope = Open(strategy);
        var resource = scope.Services.GetRequiredService<IRequestResource<Alpha>>();
        var first = await resource.GetAsync(Test).Bounded();

        await resource.ReleaseAsync().Bounded();
        Assert.False(resource.IsCreated || resource.TryGet(out _));
        await resource.ReleaseAsync().Bounded();
        var second = await resource.GetAsync(Test).Bounded();

        Assert.Equal(0, second.Teardowns);
        Assert.Equal(strategy != Strategy.PerRequest, ReferenceEquals(first, second));
        Assert.Equal(strategy == Strategy.PerRequest ? 1 : 0, first.Teardowns);
    }

    [Theory]
    [InlineData(Strategy.PerRequest)]
    [InlineData(Strategy.Pool)]
    [InlineData(Strategy.ObjectPool)]
    public async Task Detach_TheObjectIsTheCallersForGood(Strategy strategy)
    {
        Alpha detached;
        await using (var scope = Open(strategy))
        {
            var resource = scope.Services.GetRequiredService<IRequestResource<Alpha>>();
            await resource.GetAsync(Test).Bounded();
            detached = resource.Detach();

            Assert.False(resource.IsCreated);
            Assert.NotSame(detached, await resource.GetAsync(Test).Bounded());
        }

        await StopAsync();

        Assert.Equal(0, detached.Teardowns);
        detached.TearDown();
        Assert.Equal((2, 1, 1), (_counts["created"], _counts["torn_down"], _counts["detached"]));
    }

    [Fact]
    public async Task Detach_Shared_IsRefusedAndChangesNothing()
    {
        await using var scope = Open(Strategy.SharedPerHost);
        var resource = scope.Services.GetRequiredService<IRequestResource<Alpha>>();
        var shared = await resource.GetAsync(Test).Bounded();

        var exception = Assert.Throws<InvalidOperationException>(() => resource.Detach());

        Assert.Equal(
            "Resource Alpha cannot be detached: it is shared by the whole host. Create an object of your own instead.", exception.Message);
        Assert.Same(shared, await resource.GetAsync(Test));
    }

    [Theory, MemberData(nameof(Strategies))]
    public async Task Scope_Ends_WhatOthersUseIsNotTornDown(Strategy strategy)
    {
        await using var staying = Open(strategy);
        var inUse = await staying.GetAsync<Alpha>(Test).Bounded();
        for (var i = 0; i < 3; i++)
        {
            await using var passing = OpenAnother();
            await passing.GetAsync<Alpha>(Test).Bounded();
        }

        Assert.Equal(0, inUse.Teardowns);
    }

    [Theory, MemberData(nameof(Strategies))]
    public async Task HostStop_WaitsForThoseInUseAndTheBooksBalance(Strategy strategy)
    {
        var scope = Open(strategy);
        var inUse = await scope.GetAsync<Alpha>(Test).Bounded();
        for (var i = 0; i < 3; i++)
        {
            await using var passing = OpenAnother();
            await passing.GetAsync<Alpha>(Test).Bounded();
        }

        var stopping = StopAsync();
        Assert.False(stopping.IsCompleted);
        Assert.Equal(0, inUse.Teardowns);
        await scope.DisposeAsync();
        await stopping.Bounded();

        _ledger.AssertBalanced();
        Assert.Equal(_ledger.Created.Count, _counts["created"]);
        Assert.Equal(_ledger.Created.Count, _counts["torn_down"]);
    }

    [Theory]
    [InlineData(Strategy.PerRequest, ScopeOutcomeKind.Succeeded)]
    [InlineData(Strategy.Pool, ScopeOutcomeKind.HostStopping)]
    [InlineData(Strategy.ObjectPool, ScopeOutcomeKind.HostStopping)]
    [InlineData(Strategy.SharedPerHost, ScopeOutcomeKind.HostStopping)]
    public async Task Teardown_KnowsWhyTheObjectsLifeEnds(Strategy strategy, ScopeOutcomeKind expected)
    {
        await using (var scope = Open(strategy))
        {
            await scope.GetAsync<Alpha>(Test).Bounded();
            scope.Complete();
        }

        await StopAsync();

        Assert.Equal(expected, (await _ledger.NextOutcomeAsync()).Kind);
    }

    [Theory]
    [InlineData(Strategy.Pool)]
    [InlineData(Strategy.ObjectPool)]
    [InlineData(Strategy.SharedPerHost)]
    public async Task HostStop_CutsAScopeOff_WhatComesBackIsTornDownAndNobodyGetsAnything(Strategy strategy)
    {
        var scope = Open(strategy);
        _logs.Expect("ScopesOutliveHost");
        await scope.GetAsync<Alpha>(Test).Bounded();

        var stopping = StopAsync();
        _time.Advance(Drain);
        await stopping.Bounded();
        await scope.DisposeAsync();

        _ledger.AssertBalanced();
        await using var late = OpenAnother();
        var exception = await Assert.ThrowsAsync<ResourceScopeClosedException>(() => late.GetAsync<Alpha>(Test).Bounded());
        Assert.Equal(("host", ScopeOutcomeKind.HostStopping), (exception.ScopeName, exception.Outcome.Kind));
    }

    [Theory, MemberData(nameof(Strategies))]
    public async Task HostStop_DuringACreation_WhatArrivesIsTornDown(Strategy strategy)
    {
        var gate = Hold();
        var scope = Open(strategy);
        _logs.Expect("ScopesOutliveHost");
        var waiting = scope.GetAsync<Alpha>(Test).AsTask();
        await EnteredAsync();

        var stopping = StopAsync();
        _time.Advance(Drain);
        gate.SetResult();
        await stopping.Bounded();

        // Arrived before the end was noticed, or too late: in any case it is gone.
        var failure = await Record.ExceptionAsync(() => waiting.Bounded());
        Assert.True(failure is null or ResourceScopeClosedException, failure?.ToString());
        Assert.NotEqual(ScopeOutcomeKind.Succeeded, (await _ledger.NextOutcomeAsync()).Kind);
        Assert.Equal(1, _runs);
        _ledger.AssertBalanced();
        await scope.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        if (_services is not null)
        {
            await _services.DisposeAsync();
        }

        _listener.Dispose();
        _entered.Dispose();
        _logs.AssertQuiet();
        _ledger.AssertBalanced();
    }

    /// <summary>Lets the factory wait for what the test decides.</summary>
    private TaskCompletionSource Hold()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _create = async () =>
        {
            await gate.Task;
            return _ledger.Create<Alpha>();
        };
        return gate;
    }

    private async Task EnteredAsync() => Assert.True(await _entered.WaitAsync(KestrelTestHost.Timeout, Test));

    private ResourceScope OpenAnother() => _services!.CreateResourceScope("test");

    private ResourceScope Open(Strategy strategy)
    {
        (_services, _logs) = ResourceTestHost.BuildServices(
            services =>
            {
                services.Configure<RequestResourceOptions>(options => options.DrainTimeout = Drain);
                var alpha = services.AddRequestScopedResource<Alpha>(
                    (_, _) =>
                    {
                        Interlocked.Increment(ref _runs);
                        var creating = _create();
                        _entered.Release();
                        return creating;
                    },
                    _ledger.TearDown);
                _ = strategy switch
                {
                    Strategy.Pool => alpha.UsePool(pool => pool.MaxSize = 4),
                    Strategy.ObjectPool => alpha.UseObjectPool(4),
                    Strategy.SharedPerHost => alpha.SharedPerHost(),
                    _ => alpha,
                };
            },
            _time);
        Count(_services.GetRequiredService<IMeterFactory>());
        return OpenAnother();
    }

    private Task StopAsync()
    {
        if (_stopped || _services is null)
        {
            return Task.CompletedTask;
        }

        _stopped = true;
        return _services.GetRequiredService<HostScope>().StoppedAsync(Test).Bounded();
    }

    private void Count(IMeterFactory meters)
    {
        _listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Name == "ResilientHosting" && instrument.Meter.Scope == meters)
            {
                self.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, _, _) =>
        {
            lock (_counts)
            {
                var name = instrument.Name.Replace("resilient_hosting.resource.", "", StringComparison.Ordinal);
                _counts[name] = _counts.GetValueOrDefault(name) + value;
            }
        });
        _listener.Start();
    }
}
