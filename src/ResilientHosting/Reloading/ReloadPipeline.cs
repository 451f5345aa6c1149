using System.Diagnostics.CodeAnalysis;

namespace ResilientHosting.Reloading;

/// <summary>The loop that every edit goes through: Watch, Build, Load, Swap. It listens again after every outcome.</summary>
[RequiresUnreferencedCode("Runs the application again.")]
[RequiresDynamicCode("Runs the application again.")]
#pragma warning disable CA1001 // It lives as long as the process does.
internal sealed class ReloadPipeline
#pragma warning restore CA1001
{
    private const int HistoryLength = 100;

    // Somebody who never stops typing must still get to see something.
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(1);

    private readonly Prerequisites _prerequisites;
    private readonly SwapSeams _seams;
    private readonly ReloadConsole _console = ReloadConsole.Standard;
    private readonly ProcessEnd _processEnd;
    private readonly SourceWatcher _watcher;
    private readonly Lazy<Swapper> _swapper;
    private readonly ProgramBuilder _builder;
    private readonly Queue<ReloadRecord> _history = new();
    private SourceSnapshot _compiled = SourceSnapshot.Empty;
    private ProgramImage? _lastGood;
    private volatile Generation _serving;
    private volatile bool _failed;
    private bool _rejected;
    private SourceTree? _refined;

    public ReloadPipeline(Prerequisites prerequisites, InitialGeneration initial, DevReloaderOptions options)
    {
        _prerequisites = prerequisites;
        _seams = initial.Seams;
        _serving = initial.Generation;
        _processEnd = new ProcessEnd(_seams.Clock);
        _watcher = new SourceWatcher(new SourceTree(ProjectDirectory), options, _seams.Clock, _console);
        _builder = new ProgramBuilder(prerequisites, _console);
        _swapper = new Lazy<Swapper>(() => new Swapper(_seams, _console, _processEnd));
    }

    public Generation Serving => _serving;

    public IReadOnlyList<ReloadRecord> History
    {
        get
        {
            lock (_history)
            {
                return [.. _history];
            }
        }
    }

    private string ProjectDirectory => Path.GetDirectoryName(_prerequisites.ProjectPath)!;

    public void RequestReload(string reason) => _watcher.Request(reason);

    public void Pause() => _watcher.Pause();

    public void Resume() => _watcher.Resume();

    /// <summary>Begins once the process's own generation has started; ends when the process does.</summary>
    public void Start()
    {
        using (ExecutionContext.SuppressFlow())
        {
            _ = Task.Run(RunAsync);
        }
    }

    private async Task RunAsync()
    {
        try
        {
            // Off the start-up path, but before it ends: an edit made from now on is not missed.
            _watcher.Start();
            await _serving.Started.WaitAsync(_processEnd.Asked).ConfigureAwait(false);
            _serving.OnEnding(_watcher.Dispose);
            await OpenCompilerAsync().ConfigureAwait(false);
            while (true)
            {
                var look = await _watcher.WaitForChangesAsync(_processEnd.Asked).ConfigureAwait(false);
                await ReloadAsync(look).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (_processEnd.Asked.IsCancellationRequested)
        {
            // The process ends, and the host that serves sees to it.
        }
#pragma warning disable CA1031 // A reloader that fails must leave the application serving, and say that it is gone.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _console.Show(e);
            _console.Say("stopped by an unexpected error; the application keeps serving, restart the process to reload again");
        }
    }

    /// <summary>Done before the first edit: asking MSBuild and running a compiler for the first time take a second or two.</summary>
    private async Task OpenCompilerAsync()
    {
        var began = _seams.Clock.GetTimestamp();
        while (_lastGood is null)
        {
            try
            {
                _watcher.Refine(await _builder.OpenAsync(_processEnd.Asked).ConfigureAwait(false));
                _compiled = _watcher.Served;
                _lastGood = _builder.Built;
            }
            catch (InvalidOperationException e)
            {
                _console.Say($"can't compile {_prerequisites.ProjectPath} ({e.Message}); waiting for the next edit");
                await _watcher.WaitForNextEditAsync(_processEnd.Asked).ConfigureAwait(false);
            }
        }

        _console.Say($"watching {ProjectDirectory}, ready after {_seams.Clock.GetElapsedTime(began).TotalSeconds:0.0} s");
    }

    private async Task ReloadAsync(SourceLook look)
    {
        var noticed = _watcher.LastEvent;
        if (_seams.Clock.GetElapsedTime(noticed) > TimeSpan.FromSeconds(1))
        {
            noticed = _seams.Clock.GetTimestamp();
        }

        // A compilation overlaps the quiet period. Only when something changed meanwhile is it worth another one.
        BuildResult build;
        TimeSpan buildTime;
        Reaction reaction;
        var isUnchanged = look.Changes.RequestedBecause is null && !_failed && !_rejected;
        var said = new HashSet<string>();
        while (true)
        {
            reaction = _builder.React(look.Changes, $"generation {_serving.Number}", ReadsAgain);
            foreach (var remark in reaction.Remarks.Where(said.Add))
            {
                _console.Say(remark);
            }

            if (reaction.Class == ChangeClass.Nothing)
            {
                _watcher.Accept(look);
                return;
            }

            var buildBegan = _seams.Clock.GetTimestamp();
            var result = reaction.Class < ChangeClass.Reconfigure ? Compile(look) : await BuildUntilNextEditAsync(reaction, look).ConfigureAwait(false);
            buildTime = _seams.Clock.GetElapsedTime(buildBegan);

            // A file that was caught half written is no program that differs.
            isUnchanged &= reaction.Class == ChangeClass.Compile && result is { IsUnchanged: true } or { Program: null };

            var settled = await _watcher.SettleAsync(_processEnd.Asked).ConfigureAwait(false);
            if (settled.Changes.IsEmpty)
            {
                _watcher.Accept(settled);
                return;
            }

            if (result is not null
                && (settled.Files.ChangesSince(look.Files).Count == 0 || _seams.Clock.GetElapsedTime(noticed) > LongestWait))
            {
                // Whatever came after this look is the next reload.
                build = result;
                break;
            }

            look = settled;
        }

        _watcher.Accept(look);
        if (_refined is { } tree)
        {
            _refined = null;
            _watcher.Refine(tree);
        }

        var reason = look.Changes.Describe(ProjectDirectory);
        _builder.Comment(build, look.Changes, reaction, buildTime);
        _rejected = build.Program is null;
        if (build.Program is null)
        {
            ReportErrors(build, reason, buildTime, _seams.Clock.GetElapsedTime(noticed));
            return;
        }

        if (isUnchanged)
        {
            _console.Say($"{reason}: comments and white space only, nothing to do");
            return;
        }

        var swap = await _swapper.Value.SwapAsync(_serving, Candidates(build.Program)).ConfigureAwait(false);
        var total = _seams.Clock.GetElapsedTime(noticed);
        if (swap.Failure is null)
        {
            _lastGood = build.Program;
            _builder.Serves(build.Program);
        }

        _failed = swap.Failure is not null;

        if (swap.Serving is { } serving)
        {
            _serving.Unload();
            _serving = serving;
            _ = EndWithAsync(serving);
        }

        ReportSwap(swap, reason, buildTime, total);
    }

    private IEnumerable<Candidate> Candidates(ProgramImage program)
    {
        yield return new Candidate(program, IsNew: true);
        if (program.HasDelta && _builder.CompileWhole(_processEnd.Asked).Program is { } whole)
        {
            // The runtime may have refused the delta. If it is the program that fails, a whole image at least tells the line: methods
            // that a delta replaced have no line numbers in a stack trace.
            yield return new Candidate(whole, IsNew: true);
        }

        yield return new Candidate(_lastGood!, IsNew: false);
    }

    private BuildResult Compile(SourceLook look)
    {
        var files = look.Files.ChangesSince(_compiled).Select(change => change.Path).ToArray();
        _compiled = look.Files;
        return _builder.Compile(files, _processEnd.Asked);
    }

    /// <summary>Builds while the old generation serves. A newer save ends the build, since another one has to follow.</summary>
    /// <returns>Null if there was a newer save.</returns>
    private async Task<BuildResult?> BuildUntilNextEditAsync(Reaction reaction, SourceLook look)
    {
        using var superseded = CancellationTokenSource.CreateLinkedTokenSource(_processEnd.Asked);
        var build = _builder.BuildAsync(reaction, superseded.Token);
        var edit = _watcher.WaitForEditAfterAsync(look, superseded.Token).AsTask();
        try
        {
            await Task.WhenAny(build, edit).ConfigureAwait(false);
            await superseded.CancelAsync().ConfigureAwait(false);
            (var result, _refined) = await build.ConfigureAwait(false);
            return result;
        }
        catch (OperationCanceledException) when (!_processEnd.Asked.IsCancellationRequested)
        {
            _console.Say("saved again meanwhile, the build starts over");
            return null;
        }
        finally
        {
            await edit.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Whether the application that serves reads a changed configuration file by itself. One that failed needs a new start.</summary>
    private bool ReadsAgain(string path) =>
        !_failed && !_seams.Requests.Options.RestartOnConfigurationChange && RunningConfiguration.ReadsAgain(_serving.Configuration, path);

    /// <summary>A generation that ends without having been asked to ends the process, unless it crashed: then it waits for a fix.</summary>
    private async Task EndWithAsync(Generation generation)
    {
        try
        {
            var exitCode = await generation.Finished.ConfigureAwait(false);
            if (!generation.StopRequested)
            {
                _processEnd.Exit(exitCode);
            }
        }
#pragma warning disable CA1031 // This is where an application's crash ends up.
        catch (Exception e)
#pragma warning restore CA1031
        {
            if (!generation.StopRequested)
            {
                _failed = true;
                _console.Show(e);
                _console.Say($"generation {generation.Number} crashed; waiting for the next edit");
                _seams.Requests.Fail(e);
                _seams.ReviveLast();
            }
        }
    }

    private void ReportErrors(BuildResult build, string reason, TimeSpan buildTime, TimeSpan total)
    {
        var errors = build.Errors.ToArray();
        foreach (var error in errors)
        {
            _console.Show(error);
        }

        _console.Say($"{reason}: {errors.Length} {(errors.Length == 1 ? "error" : "errors")}, generation {_serving.Number} keeps serving");
        Record(new ReloadRecord(
            _serving.Number, reason, false, buildTime, TimeSpan.Zero, TimeSpan.Zero, total, 0, [.. errors.Select(error => error.ToString())]));
    }

    private void ReportSwap(SwapReport swap, string reason, TimeSpan build, TimeSpan total)
    {
        if (swap.Failure is not null)
        {
            _console.Show(swap.Failure);
            _console.Say(swap.Serving is null
                ? $"{reason}: neither this version nor the last good one starts; waiting for the next edit"
                : $"{reason}: does not start; the last good version serves again as generation {swap.Serving.Number}");
        }
        else
        {
            var cut = swap.CutRequests == 0 ? "" : $", {swap.CutRequests} cut";
            _console.Say(
                $"{reason} -> generation {swap.Serving!.Number} in {total.TotalMilliseconds:0} ms "
                + $"(build {build.TotalMilliseconds:0}, stop {swap.Stop.TotalMilliseconds:0}, start {swap.Start.TotalMilliseconds:0}), "
                + $"{swap.HeldRequests} requests held{cut}");
        }

        Record(new ReloadRecord(
            _serving.Number, reason, swap.Failure is null, build, swap.Stop, swap.Start, total, swap.HeldRequests,
            swap.Failure is null ? [] : [swap.Failure.ToString()]));
    }

    private void Record(ReloadRecord record)
    {
        lock (_history)
        {
            _history.Enqueue(record);
            if (_history.Count > HistoryLength)
            {
                _history.Dequeue();
            }
        }
    }
}
