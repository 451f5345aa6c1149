using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ResilientHosting.Resources;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Resources;

public sealed class TeardownTests : IAsyncDisposable
{
    private readonly Ledger _ledger = new();
    private readonly ManualTimeProvider _time = new();
    private ServiceProvider? _services;
    private LogCollector _logs = new();

    private static CancellationToken Test => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Scope_Ends_TearsDownInReverseOrderOfCompletedCreation()
    {
        var gate = NewGate();
        await using (var scope = OpenScope(services =>
        {
            services.AddRequestScopedResource<Alpha>(
                async (_, _) =>
                {
                    await gate.Task;
                    return _ledger.Create<Alpha>();
                },
                _ledger.TearDown);
            services.AddTracked<Beta>(_ledger);
            services.AddTracked<Gamma>(_ledger);
        }))
        {
            var startedFirst = scope.GetAsync<Alpha>(Test);
            await scope.GetAsync<Beta>(Test);
            gate.SetResult();
            await startedFirst.Bounded();
            await scope.GetAsync<Gamma>(Test);
        }

        Assert.Equal(["+Beta", "+Alpha", "+Gamma", "-Gamma", "-Alpha", "-Beta"], _ledger.Events);
    }

    [Fact]
    public async Task Scope_Ends_AResourceOutlivesItsUser()
    {
        await using (var scope = OpenScope(services =>
        {
            services.AddRequestScopedResource<Alpha>(
                async (context, token) =>
                {
                    await context.GetAsync<Beta>(token);
                    return _ledger.Create<Alpha>();
                },
                _ledger.TearDown);
            services.AddTracked<Beta>(_ledger);
        }))
        {
            await scope.GetAsync<Alpha>(Test);
        }

        Assert.Equal(["+Beta", "+Alpha", "-Alpha", "-Beta"], _ledger.Events);
    }

    [Fact]
    public async Task Teardown_UsesAnOlderResource_GetsTheLivingObject()
    {
        await using (var scope = OpenScope(services =>
        {
            services.AddTracked<Alpha>(_ledger);
            services.AddRequestScopedResource<Beta>((_, _) => new(_ledger.Create<Beta>()), async (beta, context) =>
            {
                var alpha = await context.Services.GetRequiredService<IRequestResource<Alpha>>().GetAsync(context.Deadline);
                Assert.Equal(0, alpha.Teardowns);
                await _ledger.TearDown(beta, context);
            });
        }))
        {
            await scope.GetAsync<Alpha>(Test);
            await scope.GetAsync<Beta>(Test);
        }

        _ledger.AssertBalanced();
    }

    [Fact]
    public async Task Teardowns_Fail_AllRunAndOneRecordNamesThem()
    {
        await using (var scope = OpenScope(services =>
        {
            services.AddRequestScopedResource<Alpha>((_, _) => new(_ledger.Create<Alpha>()), (_, _) => throw new NotSupportedException("alpha"));
            services.AddTracked<Beta>(_ledger);
            services.AddRequestScopedResource<Gamma>("g", (_, _) => new(_ledger.Create<Gamma>()), async (_, _) =>
            {
                await Task.Yield();
                throw new InvalidOperationException("gamma");
            });
        }))
        {
            await scope.GetAsync<Alpha>(Test);
            await scope.GetAsync<Beta>(Test);
            await scope.GetAsync<Gamma>("g", Test);
            _logs.Expect("TeardownFailed");
        }

        Assert.Contains("-Beta", _ledger.Events);
        var record = _logs.Only("TeardownFailed");
        Assert.Equal(LogLevel.Error, record.Level);
        Assert.Equal("2 of 3 resources of scope 'test' could not be torn down: Gamma 'g', Alpha.", record.Message);
        Assert.Equal(["gamma", "alpha"], Assert.IsType<AggregateException>(record.Exception).InnerExceptions.Select(inner => inner.Message));
    }

    [Fact]
    public async Task Teardown_Fails_TheOthersStillSeeTheScopesOutcome()
    {
        var scope = OpenScope(services =>
        {
            services.AddTracked<Alpha>(_ledger);
            services.AddRequestScopedResource<Beta>((_, _) => new(_ledger.Create<Beta>()), (_, _) => throw new NotSupportedException("beta"));
        });
        _logs.Expect("TeardownFailed");
        await scope.GetAsync<Alpha>(Test);
        await scope.GetAsync<Beta>(Test);

        scope.Complete();
        await scope.DisposeAsync();

        Assert.Equal(new ScopeOutcome(ScopeOutcomeKind.Succeeded), await _ledger.NextOutcomeAsync());
    }

    [Fact]
    public async Task Teardown_ExceedsItsTimeout_DeadlineIsCancelledAndItMayStillFinish()
    {
        var deadlineSeen = NewGate();
        var scope = OpenScope(services => services.AddRequestScopedResource<Alpha>((_, _) => new(_ledger.Create<Alpha>()), async (alpha, context) =>
        {
            using var registration = context.Deadline.Register(deadlineSeen.SetResult);
            await deadlineSeen.Task;
            await _ledger.TearDown(alpha, context);
        }));
        await scope.GetAsync<Alpha>(Test);

        var ending = scope.DisposeAsync().AsTask();
        _time.Advance(TimeSpan.FromSeconds(5) - TimeSpan.FromTicks(1));
        Assert.False(deadlineSeen.Task.IsCompleted);
        _time.Advance(TimeSpan.FromTicks(1));

        await ending.Bounded();
        _ledger.AssertBalanced();
    }

    [Fact]
    public async Task Teardown_Hangs_IsGivenUpAndReportedAndTheOthersRun()
    {
        var hang = NewGate();
        var scope = OpenScope(services =>
        {
            services.AddTracked<Alpha>(_ledger);
            services.AddRequestScopedResource<Beta>((_, _) => new(_ledger.Create<Beta>()), async (_, _) => await hang.Task);
        });
        _logs.Expect("TeardownFailed");
        await scope.GetAsync<Alpha>(Test);
        await scope.GetAsync<Beta>(Test);

        var ending = scope.DisposeAsync().AsTask();
        _time.Advance(TimeSpan.FromSeconds(6));
        await ending.Bounded();

        Assert.Contains("-Alpha", _ledger.Events);
        var record = _logs.Only("TeardownFailed");
        Assert.Equal("1 of 2 resources of scope 'test' could not be torn down: Beta.", record.Message);
        Assert.Equal(
            "The teardown did not finish within 00:00:05 and was given up. It should pass TeardownContext.Deadline on to what it awaits.",
            Assert.IsType<TimeoutException>(record.Exception).Message);
        hang.SetResult();
    }

    [Fact]
    public async Task Scope_UsesUpItsBudget_TheRestStartsWithACancelledDeadline()
    {
        var hang = NewGate();
        bool? cancelledAtStart = null;
        var scope = OpenScope(services =>
        {
            services.Configure<RequestResourceOptions>(options => options.ScopeTeardownBudget = TimeSpan.FromSeconds(6));
            services.AddRequestScopedResource<Alpha>((_, _) => new(_ledger.Create<Alpha>()), (alpha, context) =>
            {
                cancelledAtStart = context.Deadline.IsCancellationRequested;
                return _ledger.TearDown(alpha, context);
            });
            services.AddRequestScopedResource<Beta>((_, _) => new(_ledger.Create<Beta>()), async (_, _) => await hang.Task);
        });
        _logs.Expect("TeardownFailed");
        await scope.GetAsync<Alpha>(Test);
        await scope.GetAsync<Beta>(Test);

        var ending = scope.DisposeAsync().AsTask();
        _time.Advance(TimeSpan.FromSeconds(6));
        await ending.Bounded();

        Assert.True(cancelledAtStart);
        hang.SetResult();
    }

    [Fact]
    public async Task Scope_EndsWhileAFactoryHangsBeyondTheBudget_WarnsAndTearsTheLateObjectDown()
    {
        var gate = new TaskCompletionSource<Alpha>(TaskCreationOptions.RunContinuationsAsynchronously);
        var scope = OpenScope(services =>
        {
            services.Configure<RequestResourceOptions>(options => options.CreateTimeout = TimeSpan.FromMinutes(2));
            services.AddRequestScopedResource<Alpha>(async (_, _) => await gate.Task, _ledger.TearDown);
        });
        _logs.Expect("CreationOutlivesScope");
        var waiting = scope.GetAsync<Alpha>(Test);

        var ending = scope.DisposeAsync().AsTask();
        _time.Advance(TimeSpan.FromSeconds(30));
        await ending.Bounded();

        Assert.Equal(
            "Scope 'test' ended while Alpha were in flight, and its teardown budget is used up. Their factories should observe the " +
            "cancellation token they are given. What arrives later is torn down on its own.",
            _logs.Only("CreationOutlivesScope").Message);
        gate.SetResult(_ledger.Create<Alpha>());
        await Assert.ThrowsAsync<ResourceScopeClosedException>(() => waiting.Bounded());
        Assert.Equal(ScopeOutcomeKind.Abandoned, (await _ledger.NextOutcomeAsync()).Kind);
        _ledger.AssertBalanced();
    }

    [Fact]
    public async Task Scope_EndsDuringAnEarlyRelease_WaitsForItBeforeOlderResources()
    {
        var gate = NewGate();
        var scope = OpenScope(services =>
        {
            services.AddTracked<Alpha>(_ledger);
            services.AddRequestScopedResource<Beta>((_, _) => new(_ledger.Create<Beta>()), async (beta, context) =>
            {
                await gate.Task;
                await _ledger.TearDown(beta, context);
            });
        });
        await scope.GetAsync<Alpha>(Test);
        await scope.GetAsync<Beta>(Test);

        var release = scope.Services.GetRequiredService<IRequestResource<Beta>>().ReleaseAsync();
        var ending = scope.DisposeAsync();
        gate.SetResult();
        await ending.Bounded();
        await release.Bounded();

        Assert.Equal(["+Alpha", "+Beta", "-Beta", "-Alpha"], _ledger.Events);
    }

    [Fact]
    public async Task Scope_ClosedAgainWhileClosing_WaitsAndKeepsTheFirstOutcome()
    {
        var gate = NewGate();
        var scope = OpenScope(services =>
        {
            services.AddTracked<Alpha>(_ledger);
            services.AddRequestScopedResource<Beta>((_, _) => new(_ledger.Create<Beta>()), async (_, _) => await gate.Task);
        });
        await scope.GetAsync<Alpha>(Test);
        await scope.GetAsync<Beta>(Test);

        var first = scope.DisposeAsync();
        scope.Complete();
        var second = scope.DisposeAsync().AsTask();
        var alphaBeforeBeta = _ledger.Events.Contains("-Alpha");
        var secondDidNotWait = second.IsCompleted;
        gate.SetResult();
        await first.Bounded();
        await second.Bounded();

        Assert.False(alphaBeforeBeta || secondDidNotWait);
        Assert.Equal(ScopeOutcomeKind.Abandoned, (await _ledger.NextOutcomeAsync()).Kind);
    }

    [Fact]
    public async Task Teardown_NotGiven_DisposesOfWhatIsDisposable()
    {
        AsyncAndSync both;
        SyncOnly sync;
        await using (var scope = OpenScope(services =>
        {
            services.AddRequestScopedResource<AsyncAndSync>();
            services.AddRequestScopedResource(_ => new SyncOnly());
            services.AddRequestScopedResource(_ => new object());
        }))
        {
            both = await scope.GetAsync<AsyncAndSync>(Test);
            sync = await scope.GetAsync<SyncOnly>(Test);
            await scope.GetAsync<object>(Test);
        }

        Assert.Equal("async", both.DisposedBy);
        Assert.True(sync.Disposed);
    }

    [Fact]
    public async Task ServiceScope_WithoutARequest_TearsDownAsAbandonedWhenDisposed()
    {
        (_services, _logs) = ResourceTestHost.BuildServices(
            services => services.AddTracked<Alpha>(_ledger));
        await using (var scope = _services.CreateAsyncScope())
        {
            await scope.ServiceProvider.GetRequiredService<IRequestResource<Alpha>>().GetAsync(Test);
        }

        using (var scope = _services.CreateScope())
        {
            await scope.ServiceProvider.GetRequiredService<IRequestResource<Alpha>>().GetAsync(Test);
        }

        Assert.Equal(["+Alpha", "-Alpha", "+Alpha", "-Alpha"], _ledger.Events);
        Assert.Equal(ScopeOutcomeKind.Abandoned, (await _ledger.NextOutcomeAsync()).Kind);
    }

    public async ValueTask DisposeAsync()
    {
        if (_services is not null)
        {
            await _services.DisposeAsync();
        }

        _logs.AssertQuiet();
    }

    private static TaskCompletionSource NewGate() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ResourceScope OpenScope(Action<IServiceCollection> configure)
    {
        (_services, _logs) = ResourceTestHost.BuildServices(configure, _time);
        return _services.CreateResourceScope("test");
    }

    public sealed class AsyncAndSync : IAsyncDisposable, IDisposable
    {
        public string DisposedBy { get; private set; } = "";

        public void Dispose() => DisposedBy += "sync";

        public ValueTask DisposeAsync()
        {
            DisposedBy += "async";
            return default;
        }
    }

    private sealed class SyncOnly : IDisposable
    {
        public bool Disposed { get; private set; }

        public void Dispose() => Disposed = true;
    }
}
