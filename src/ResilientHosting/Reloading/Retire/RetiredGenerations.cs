using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;

namespace ResilientHosting.Reloading;

/// <summary>
/// Sees retired generations out of memory, off the way of requests and reloads, and says what holds those that stay. One round takes
/// all that have ended by then, so quick edits cost no more than slow ones.
/// </summary>
[RequiresUnreferencedCode("Reads the fields of all objects.")]
internal sealed class RetiredGenerations(TimeProvider clock, ReloadConsole console)
{
    private const int MaxCollected = 100;

    // The runtime itself may keep one or two for a while, on a thread that happened to run them. A leak is there again each time.
    private const int UnnamedThatAreALeak = 3;

    // One who edits looks at the result first: the page must not wait for the collector.
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(1);

    // Finalizers run between two collections, and what they end takes a moment to end.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1.5);

    // Something that was just about to end looks like something that stays, such as a connection that closes or a thread that returns.
    private static readonly TimeSpan PatienceAtFirst = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan PatienceWithTemporary = TimeSpan.FromMinutes(3);

    private readonly Channel<RetiredGeneration> _ended = Channel.CreateUnbounded<RetiredGeneration>();
    private readonly List<RetiredGeneration> _known = [];
    private readonly HashSet<string> _said = [];
    private readonly UpdateHandlers _handlers = new(console);
    private readonly TypeCaches _caches = new();
    private bool _running;

    /// <summary>Gets what became of the retired generations: all that are still in memory, and the last that are not.</summary>
    public IReadOnlyList<RetiredGeneration> Known
    {
        get
        {
            lock (_known)
            {
                return [.. _known];
            }
        }
    }

    /// <summary>A generation no longer serves. It is unloaded when its host and its connections have ended.</summary>
    public void Add(Generation generation)
    {
        if (generation.Retire() is not { } retired)
        {
            // The process's own start can't be unloaded.
            return;
        }

        var begin = false;
        lock (_known)
        {
            _known.Add(retired);
            (begin, _running) = (!_running, true);
        }

        using (ExecutionContext.SuppressFlow())
        {
            _ = UnloadAsync(generation, retired);
            if (begin)
            {
                _ = RunAsync();
            }
        }
    }

    private async Task UnloadAsync(Generation generation, RetiredGeneration retired)
    {
        await generation.WaitUntilEndedAsync().ConfigureAwait(false);
        try
        {
            generation.Unload();
        }
#pragma warning disable CA1031 // An application can subscribe to the unloading, and fail.
        catch (Exception e)
#pragma warning restore CA1031
        {
            console.Say($"generation {retired.Number} failed when it was unloaded: {e.Message}");
        }

        retired.State = RetiredState.Unloading;
        await _ended.Writer.WriteAsync(retired).ConfigureAwait(false);
    }

    private async Task RunAsync()
    {
        var held = new List<RetiredGeneration>();
        try
        {
            while (await _ended.Reader.WaitToReadAsync().ConfigureAwait(false))
            {
                await Task.Delay(Rest, clock).ConfigureAwait(false);
                while (_ended.Reader.TryRead(out var retired))
                {
                    if (!held.Contains(retired))
                    {
                        held.Add(retired);
                    }
                }

                ClearCaches(held);
                Collect();
                await Task.Delay(Patience, clock).ConfigureAwait(false);
                Collect();
                await Task.Delay(Patience, clock).ConfigureAwait(false);
                Forget(held);
                await ExplainAsync(held, [.. held.Where(retired => retired.Causes.Count == 0)]).ConfigureAwait(false);
                Forget(held);
            }
        }
#pragma warning disable CA1031 // The application serves, whatever becomes of what served before.
        catch (Exception e)
#pragma warning restore CA1031
        {
            console.Show(e);
            console.Say("can't follow any longer what becomes of old generations; they may stay in memory");
        }
    }

    // In methods of its own: a variable of RunAsync would hold what is to be collected.
    private void ClearCaches(IReadOnlyList<RetiredGeneration> retired)
    {
        _handlers.ClearCaches();
        _caches.Remove(new RetiredObjects(retired));
    }

    /// <summary>Beside the application, not in its way: a collection that blocks would be felt by requests.</summary>
    private static void Collect() => GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: false);

    private void Forget(List<RetiredGeneration> held)
    {
        foreach (var collected in held.Where(retired => retired.Context is null))
        {
            collected.State = RetiredState.Collected;
            collected.Causes = [];
        }

        held.RemoveAll(retired => retired.State == RetiredState.Collected);
        lock (_known)
        {
            var surplus = _known.Count(retired => retired.State == RetiredState.Collected) - MaxCollected;
            _known.RemoveAll(retired => retired.State == RetiredState.Collected && surplus-- > 0);
        }
    }

    private async Task ExplainAsync(IReadOnlyList<RetiredGeneration> held, IReadOnlyList<RetiredGeneration> unexplained)
    {
        if (unexplained.Count == 0)
        {
            return;
        }

        await new LeakFinder(_caches, clock).FindAsync(unexplained).ConfigureAwait(false);
        var unnamed = held.Count(retired => retired.Context is not null && retired.Causes.Any(cause => cause.IsUnknown));
        foreach (var retired in unexplained.Where(retired => retired.Context is not null && retired.Causes.Count > 0))
        {
            Tell(retired, unnamed);
            retired.State = RetiredState.Held;
        }
    }

    private void Tell(RetiredGeneration retired, int unnamed)
    {
        var isFirstLook = retired.Looks++ == 0;
        if (retired.Causes.All(cause => cause.IsTemporary))
        {
            _ = LookAgainAsync(retired, isFirstLook ? PatienceAtFirst : PatienceWithTemporary);
            return;
        }

        if (isFirstLook && retired.Causes.Any(cause => cause.IsUnknown))
        {
            _ = LookAgainAsync(retired, PatienceAtFirst);
            return;
        }

        foreach (var cause in retired.Causes.Where(cause =>
            !cause.IsTemporary && (!cause.IsUnknown || unnamed >= UnnamedThatAreALeak) && _said.Add(cause.What + cause.Hint)))
        {
            console.Say($"generation {retired.Number} has ended but stays in memory, held by {cause.What}{cause.Which}; {cause.Hint}");
        }
    }

    private async Task LookAgainAsync(RetiredGeneration retired, TimeSpan patience)
    {
        await Task.Delay(patience, clock).ConfigureAwait(false);
        if (retired.Context is not null)
        {
            retired.Causes = [];
        }

        await _ended.Writer.WriteAsync(retired).ConfigureAwait(false);
    }
}
