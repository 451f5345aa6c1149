using System.Collections.Concurrent;
using System.Threading.Channels;
using Microsoft.Extensions.DependencyInjection;
using ResilientHosting.Resources;

namespace ResilientHosting.Tests.Resources;

/// <summary>An object whose life a <see cref="Ledger"/> records. Several types, so that resources can depend on one another.</summary>
public class Tracked
{
    private int _teardowns;

    public int Teardowns => Volatile.Read(ref _teardowns);

    public void TearDown() => Interlocked.Increment(ref _teardowns);
}

public sealed class Alpha : Tracked;

public sealed class Beta : Tracked;

public sealed class Gamma : Tracked;

/// <summary>Records what was created and how it was torn down.</summary>
public sealed class Ledger
{
    private readonly Channel<ScopeOutcome> _outcomes = Channel.CreateUnbounded<ScopeOutcome>();

    public ConcurrentQueue<string> Events { get; } = new();

    public ConcurrentQueue<Tracked> Created { get; } = new();

    public T Create<T>()
        where T : Tracked, new()
    {
        var tracked = new T();
        Created.Enqueue(tracked);
        Events.Enqueue($"+{typeof(T).Name}");
        return tracked;
    }

    public ValueTask TearDown<T>(T tracked, TeardownContext context)
        where T : Tracked
    {
        tracked.TearDown();
        Events.Enqueue($"-{typeof(T).Name}");
        Assert.True(_outcomes.Writer.TryWrite(context.Outcome));
        return ValueTask.CompletedTask;
    }

    /// <summary>The outcome of the next teardown, waiting for it if need be.</summary>
    public async Task<ScopeOutcome> NextOutcomeAsync() =>
        await _outcomes.Reader.ReadAsync(TestContext.Current.CancellationToken).Bounded();

    public void AssertBalanced() => Assert.All(Created, tracked => Assert.Equal(1, tracked.Teardowns));
}

internal static class LedgerServiceCollectionExtensions
{
    /// <summary>Registers a resource whose life the ledger records.</summary>
    public static IServiceCollection AddTracked<T>(this IServiceCollection services, Ledger ledger)
        where T : Tracked, new()
    {
        services.AddRequestScopedResource((_, _) => ValueTask.FromResult(ledger.Create<T>()), ledger.TearDown);
        return services;
    }
}
