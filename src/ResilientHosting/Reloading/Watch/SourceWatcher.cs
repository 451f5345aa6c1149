namespace ResilientHosting.Reloading;

/// <summary>Waits for changes of the sources, and says when they stand still.</summary>
internal sealed class SourceWatcher : IDisposable
{
    private static readonly TimeSpan LongestBurst = TimeSpan.FromMilliseconds(300);

    private readonly DevReloaderOptions _options;
    private readonly TimeProvider _clock;
    private readonly SemaphoreSlim _wake = new(0, 1);
    private readonly TriggerFile? _trigger;
    private readonly SourceObserver _observer;
    private readonly WorkOfOthers _others;
    private volatile SourceTree _tree;
    private SourceSnapshot _served = SourceSnapshot.Empty;
    private string? _requested;
    private bool _paused;
    private volatile bool _disposed;

    public SourceWatcher(SourceTree tree, DevReloaderOptions options, TimeProvider clock, ReloadConsole console)
    {
        (_tree, _options, _clock) = (tree, options, clock);
        _trigger = options.TriggerFile is { } trigger ? new TriggerFile(Path.GetFullPath(trigger, tree.ProjectDirectory)) : null;
        _observer = new SourceObserver(tree, options, _trigger, clock, console, Wake);
        _others = new WorkOfOthers(clock, console);
    }

    /// <summary>Gets or sets whose work on the files is waited for.</summary>
    public IReadOnlyList<IWorkInProgress> Others
    {
        get => _others.Others;
        set => _others.Others = value;
    }

    /// <summary>Gets the files that are watched.</summary>
    public SourceTree Tree => _tree;

    /// <summary>Gets the sources as they were when they were last dealt with.</summary>
    public SourceSnapshot Served => _served;

    /// <summary>Gets when the last event or request came in, as a time stamp of the clock.</summary>
    public long LastEvent => _observer.LastEvent;

    /// <summary>Gets how the sources are watched.</summary>
    public IReadOnlyList<WatchedRoot> Roots => _observer.Roots;

    /// <summary>Takes the first look and begins to watch.</summary>
    public void Start()
    {
        _observer.Start();
        _served = _observer.Latest;
    }

    /// <summary>Replaces the default rules by what MSBuild says. Edits made since the watcher was created are not lost.</summary>
    public void Refine(SourceTree tree)
    {
        var inputs = tree.Enumerate().ToHashSet();
        _served = _served.Restrict(inputs, inputs.Except(_tree.Enumerate()), _clock.GetUtcNow());
        _tree = tree;
        _observer.Refine(tree, _served);
    }

    public void Request(string reason)
    {
        _requested = reason;
        _observer.LookAtAll();
        _observer.Note();
    }

    public void Pause() => _paused = true;

    public void Resume()
    {
        _paused = false;
        _observer.LookAtAll();
        _observer.Note();
    }

    /// <summary>Waits until something differs from what is being served, and nobody else is at work on the files.</summary>
    public async ValueTask<SourceLook> WaitForChangesAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (!_paused && Look() is { Changes.IsEmpty: false } look)
            {
                if (await WaitForOthersAsync(cancellationToken).ConfigureAwait(false))
                {
                    continue;
                }

                if (look.Changes.Changes.Any(change => change.Kind == ChangeKind.Deleted || look.Files.IsHalfWritten(change.Path)))
                {
                    // Many editors save by emptying or deleting the file first. A build of that would only be in the way.
                    look = await SettleAsync(cancellationToken).ConfigureAwait(false);
                    if (look.Changes.IsEmpty)
                    {
                        continue;
                    }
                }

                return look;
            }

            await _wake.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Waits until the sources differ from how they are now, whatever else is still waiting to be dealt with.</summary>
    public ValueTask WaitForNextEditAsync(CancellationToken cancellationToken) => WaitForNextEditAsync(Look().Files, cancellationToken);

    /// <summary>Waits until the sources differ from how they were.</summary>
    public async ValueTask WaitForNextEditAsync(SourceSnapshot files, CancellationToken cancellationToken)
    {
        while (Look().Files.ChangesSince(files).Count == 0)
        {
            await _wake.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Waits until nothing has happened for the quiet period, or a burst has gone on for too long, and nobody else is at work; then looks
    /// again.
    /// </summary>
    public async ValueTask<SourceLook> SettleAsync(CancellationToken cancellationToken)
    {
        var started = _clock.GetTimestamp();
        if (_clock.GetElapsedTime(LastEvent) > LongestBurst)
        {
            // No event told of this change, and none will tell of the rest of it.
            _observer.LookAtAll();
        }

        while (_clock.GetElapsedTime(started) < LongestBurst)
        {
            var quietFor = _clock.GetElapsedTime(LastEvent);
            if (quietFor >= _options.QuietPeriod)
            {
                break;
            }

            await Task.Delay(_options.QuietPeriod - quietFor, _clock, cancellationToken).ConfigureAwait(false);
        }

        await WaitForOthersAsync(cancellationToken).ConfigureAwait(false);

        // The event of a second save may still be on its way.
        _observer.LookAt(_observer.Latest.ChangesSince(_served).Select(change => change.Path));
        return Look();
    }

    /// <summary>The files as they were at this look are dealt with: being served, or rejected with an error.</summary>
    public void Accept(SourceLook look)
    {
        _served = look.Files;
        Interlocked.CompareExchange(ref _requested, null, look.Changes.RequestedBecause);
    }

    public void Dispose()
    {
        _disposed = true;
        _observer.Dispose();
    }

    private async ValueTask<bool> WaitForOthersAsync(CancellationToken cancellationToken)
    {
        var hasWaited = await _others.WaitAsync(cancellationToken).ConfigureAwait(false);
        if (hasWaited)
        {
            _observer.LookAtAll();
        }

        return hasWaited;
    }

    private SourceLook Look()
    {
        if (_trigger?.WasTouched() == true)
        {
            Interlocked.CompareExchange(ref _requested, $"{_trigger.Name} touched", null);
        }

        return _observer.Look() is { } files
            ? new SourceLook(new ChangeSet(files.ChangesSince(_served), _requested), files)
            : new SourceLook(new ChangeSet([], _requested), _served);
    }

    private void Wake()
    {
        lock (_wake)
        {
            if (!_disposed && _wake.CurrentCount == 0)
            {
                _wake.Release();
            }
        }
    }
}
