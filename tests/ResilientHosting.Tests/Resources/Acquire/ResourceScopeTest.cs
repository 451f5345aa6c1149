using Microsoft.Extensions.DependencyInjection;
using ResilientHosting.Resources;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Resources;

/// <summary>One scope with a manual clock and a ledger. A test fails when anything unexpected was logged.</summary>
public abstract class ResourceScopeTest : IAsyncDisposable
{
    protected static readonly TimeSpan CreateTimeout = new RequestResourceOptions().CreateTimeout;

    private ServiceProvider? _services;
    private LogCollector? _logs;

    private protected Ledger Ledger { get; } = new();

    protected ManualTimeProvider Time { get; } = new();

    protected static CancellationToken Test => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_services is not null)
        {
            await _services.DisposeAsync();
        }

        _logs?.AssertQuiet();
    }

    protected static TaskCompletionSource<T> NewGate<T>() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    protected static TaskCompletionSource NewGate() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    protected ResourceScope OpenScope(Action<IServiceCollection> configure)
    {
        (_services, _logs) = ResourceTestHost.BuildServices(configure, Time);
        return _services.CreateResourceScope("test");
    }
}
