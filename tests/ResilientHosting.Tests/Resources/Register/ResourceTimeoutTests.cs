using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using ResilientHosting.Resources;
using ResilientHosting.Tests.Infrastructure;
using ResilientHosting.Tests.Sample;

namespace ResilientHosting.Tests.Resources;

public sealed class ResourceTimeoutTests
{
    private readonly ManualTimeProvider _time = new();
    private readonly Ledger _ledger = new();

    private static CancellationToken Test => TestContext.Current.CancellationToken;

    [Fact]
    public async Task CreateTimeout_OfOneResource_LimitsItAlone()
    {
        var never = new TaskCompletionSource<Alpha>();
        var slow = new TaskCompletionSource<Beta>();
        var (services, logs) = ResourceTestHost.BuildServices(
            collection =>
            {
                collection.AddRequestScopedResource<Alpha>(async (_, _) => await never.Task).WithCreateTimeout(TimeSpan.FromSeconds(2));
                collection.AddRequestScopedResource<Beta>(async (_, _) => await slow.Task, _ledger.TearDown);
            },
            _time);
        await using var root = services;
        await using (var scope = root.CreateResourceScope("test"))
        {
            var limited = scope.GetAsync<Alpha>(Test).AsTask();
            var other = scope.GetAsync<Beta>(Test).AsTask();
            _time.Advance(TimeSpan.FromSeconds(2));

            var exception = await Assert.ThrowsAsync<TimeoutException>(() => limited.Bounded());
            Assert.Equal(
                "Resource Alpha was not created within 00:00:02 in scope 'test'. Raise WithCreateTimeout if its backend is slow; if its " +
                "factory waits for another resource, it must ask for it with ResourceContext.GetAsync.",
                exception.Message);
            Assert.False(other.IsCompleted);
            slow.SetResult(_ledger.Create<Beta>());
            await other.Bounded();

            // Nothing may be in flight when the scope ends: its budget is on the clock that stands still.
            never.SetCanceled(Test);
        }

        _ledger.AssertBalanced();
        logs.AssertQuiet();
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task CreateTimeout_HoldsForObjectsThatAreShared(bool shared)
    {
        var never = new TaskCompletionSource<Alpha>();
        var (services, _) = ResourceTestHost.BuildServices(
            collection =>
            {
                var alpha = collection.AddRequestScopedResource<Alpha>(async (_, token) => await never.Task.WaitAsync(token))
                    .WithCreateTimeout(TimeSpan.FromSeconds(2));
                _ = shared ? alpha.SharedPerHost() : alpha.UseObjectPool();
            },
            _time);
        await using var root = services;
        await using var scope = root.CreateResourceScope("test");

        var limited = scope.GetAsync<Alpha>(Test).AsTask();
        _time.Advance(TimeSpan.FromSeconds(2));

        var exception = await Assert.ThrowsAsync<TimeoutException>(() => limited.Bounded());
        Assert.StartsWith("Resource Alpha was not created within 00:00:02", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CreateTimeout_HoldsForObjectsOfAPool()
    {
        var limit = TimeSpan.FromSeconds(2.5);
        var clock = new SignallingClock();
        var (services, _) = ResourceTestHost.BuildServices(
            collection => collection.AddRequestScopedResource<Alpha>(async (_, token) =>
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token);
                return new Alpha();
            }).WithCreateTimeout(limit).UsePool(),
            clock);
        await using var root = services;
        await using var scope = root.CreateResourceScope("test");

        var limited = scope.GetAsync<Alpha>(Test).AsTask();
        await clock.WaitForTimerAsync(limit);
        clock.Advance(limit);

        var exception = await Assert.ThrowsAsync<TimeoutException>(() => limited.Bounded());
        Assert.StartsWith("Resource Alpha was not created within 00:00:02.5", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TeardownTimeout_OfOneResource_LimitsItAlone()
    {
        CancellationToken deadline = default;
        var (services, logs) = ResourceTestHost.BuildServices(
            collection =>
            {
                collection.AddRequestScopedResource<Alpha>((_, _) => new(new Alpha()), UntilDeadlineAsync);
                collection.AddRequestScopedResource<Beta>((_, _) => new(new Beta()), UntilDeadlineAsync).WithTeardownTimeout(TimeSpan.FromSeconds(20));
            },
            _time);
        await using var root = services;

        await AssertLimitAsync<Alpha>(TimeSpan.FromSeconds(5));
        await AssertLimitAsync<Beta>(TimeSpan.FromSeconds(20));
        logs.AssertQuiet();

        async Task AssertLimitAsync<T>(TimeSpan limit)
            where T : class
        {
            var scope = root.CreateResourceScope("test");
            await scope.GetAsync<T>(Test);
            var ending = scope.DisposeAsync().AsTask();
            _time.Advance(limit - TimeSpan.FromTicks(1));
            Assert.False(deadline.IsCancellationRequested);
            _time.Advance(TimeSpan.FromTicks(1));
            Assert.True(deadline.IsCancellationRequested);
            await ending.Bounded();
        }

        ValueTask UntilDeadlineAsync<T>(T resource, TeardownContext end)
        {
            deadline = end.Deadline;
            var over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            deadline.Register(over.SetResult);
            return new ValueTask(over.Task);
        }
    }

    [Fact]
    public void Timeout_OutOfRange_IsRefusedAtOnce()
    {
        var builder = new ServiceCollection().AddRequestScopedResource<Alpha>();

        Assert.StartsWith(
            "A time limit is more than zero and at most 1.00:00:00.",
            Assert.Throws<ArgumentOutOfRangeException>(() => builder.WithCreateTimeout(TimeSpan.Zero)).Message,
            StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => builder.WithCreateTimeout(TimeSpan.FromDays(2)));
        Assert.Throws<ArgumentOutOfRangeException>(() => builder.WithTeardownTimeout(TimeSpan.FromSeconds(-1)));
    }

    [Fact]
    public async Task TeardownTimeout_MoreThanTheBudget_IsRefusedAtStart()
    {
        var (services, _) = ResourceTestHost.BuildServices(collection =>
        {
            collection.AddRequestScopedResource<Alpha>("a", (_, _) => new(new Alpha()))
                .WithTeardownTimeout(TimeSpan.FromHours(1)).WithTeardownTimeout(TimeSpan.FromSeconds(31));
            collection.Configure<RequestResourceOptions>(options => options.MaxDetachedTeardowns = 0);
        });
        await using var root = services;

        var exception = Assert.Throws<OptionsValidationException>(root.GetRequiredService<IStartupValidator>().Validate);

        Assert.Equal(
            [
                "Property RequestResourceOptions.MaxDetachedTeardowns: must be at least 1, but is 0.",
                "Property RequestResourceOptions.ScopeTeardownBudget: must be at least the time-out given to Alpha 'a' with WithTeardownTimeout (00:00:31), but is " +
                "00:00:30; raise the budget or lower the time-out.",
            ],
            exception.Failures);
    }
}
