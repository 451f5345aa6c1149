using System.Collections.Concurrent;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;

namespace ResilientHosting.Reloading;

/// <summary>
/// The application of one generation, as the request switch sees it: requests enter and leave, until it is retired and drained.
/// </summary>
internal abstract class RunningApplication(Generation generation)
{
    private static readonly TimeSpan PatienceAfterCut = TimeSpan.FromSeconds(3);

    private readonly ConcurrentDictionary<SwitchedRequest, byte> _inside = new();
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _entered;
    private volatile bool _retired;

    public Generation Generation => generation;

    /// <summary>Lets a request in, unless the application is being retired.</summary>
    public bool TryEnter(SwitchedRequest request)
    {
        // Counted first and checked second: a request that sees "not retired" here is one that the drain sees in the count.
        Interlocked.Increment(ref _entered);
        if (_retired)
        {
            Leave();
            return false;
        }

        _inside.TryAdd(request, 0);
        return true;
    }

    public void Exit(SwitchedRequest request)
    {
        if (_inside.TryRemove(request, out _))
        {
            Leave();
        }
    }

    /// <summary>Lets no more requests in, waits for those inside, and cuts those that stay too long.</summary>
    /// <returns>The requests that were cut.</returns>
    public async Task<IReadOnlyList<CutRequest>> DrainAsync(TimeSpan timeout, TimeProvider clock)
    {
        _retired = true;

        // The counterpart of the order in TryEnter and Leave: without a full fence the count could be read before "retired" is seen.
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _entered) == 0)
        {
            return [];
        }

        var cut = new Dictionary<SwitchedRequest, CutRequest>();
        Cut(static request => request.Stage is RequestStage.EventStream or RequestStage.WebSocket, cut);
        if (!await WaitAsync(timeout, clock).ConfigureAwait(false))
        {
            Cut(static _ => true, cut);

            // Work that goes on without its client, by policy or by ignorance, still uses what the container owns.
            await WaitAsync(PatienceAfterCut, clock).ConfigureAwait(false);
        }

        return [.. cut.Values];
    }

    public abstract object CreateContext(IFeatureCollection features);

    public abstract Task ProcessAsync(object context);

    public abstract void DisposeContext(object context, Exception? exception);

    private void Leave()
    {
        if (Interlocked.Decrement(ref _entered) == 0 && _retired)
        {
            _drained.TrySetResult();
        }
    }

    private void Cut(Func<SwitchedRequest, bool> which, Dictionary<SwitchedRequest, CutRequest> cut)
    {
        foreach (var request in _inside.Keys.Where(request => which(request) && !cut.ContainsKey(request)))
        {
            cut[request] = request.Cut();
        }
    }

    private async Task<bool> WaitAsync(TimeSpan timeout, TimeProvider clock)
    {
        // A retired application may have been empty all along: then nobody is left to complete the task.
        if (Volatile.Read(ref _entered) == 0)
        {
            return true;
        }

        try
        {
            await _drained.Task.WaitAsync(timeout, clock).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }
}

/// <inheritdoc />
internal sealed class RunningApplication<TContext>(Generation generation, IHttpApplication<TContext> application)
    : RunningApplication(generation)
    where TContext : notnull
{
    public override object CreateContext(IFeatureCollection features) => application.CreateContext(features);

    public override Task ProcessAsync(object context) => application.ProcessRequestAsync((TContext)context);

    public override void DisposeContext(object context, Exception? exception) => application.DisposeContext((TContext)context, exception);
}
