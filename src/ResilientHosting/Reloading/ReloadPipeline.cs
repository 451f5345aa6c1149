using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Hosting;

namespace ResilientHosting.Reloading;

/// <summary>The loop that every edit goes through: Watch, Build, Load, Swap. It listens again after every outcome.</summary>
[RequiresUnreferencedCode("Runs the application again.")]
[RequiresDynamicCode("Runs the application again.")]
#pragma warning disable CA1001 // It lives as long as the process does.
internal sealed class ReloadPipeline
#pragma warning restore CA1001
{
    // Deltas lead from the last whole image to now, so they grow with every place that was edited since.
    private const int ReloadsBeforeRebase = 20;

    private static readonly TimeSpan RestBeforeRebase = TimeSpan.FromSeconds(2);

    private readonly Prerequisites _prerequisites;
    private readonly SwapSeams _seams;
    private readonly ReloadConsole _console = ReloadConsole.Standard;
    private readonly InitialGeneration _initial;
    private readonly ProcessEnd _processEnd;
    private readonly GenerationEnds _ends;
    private readonly SourceWatcher _watcher;
    private readonly ProgramBuilder _builder;
    private readonly BuildLoop<Attempt> _builds;
    private readonly Lazy<Swapper> _swapper;
    private readonly RetiredGenerations _retired;
    private readonly ReloadReports _reports;
    private readonly LiveView _live;
    private readonly ForeignBuild _foreignBuild;
    private readonly StaticFileWatcher _staticFiles;
    private readonly HashSet<string> _said = [];
    private SourceSnapshot _compiled = SourceSnapshot.Empty;
    private ProgramImage? _lastGood;

    // What serves, as the compiler knows it; null while an edit that makes no difference has to start the application nevertheless.
    private ProgramImage? _served;
    private int _reloadsOnDeltas;
    private bool _failed;
    private volatile Generation _serving;

    public ReloadPipeline(Prerequisites prerequisites, InitialGeneration initial, DevReloaderOptions options)
    {
        _prerequisites = prerequisites;
        _initial = initial;
        _seams = initial.Seams;
        _serving = initial.Generation;
        _processEnd = new ProcessEnd(initial, () => _serving, _console);
        _watcher = new SourceWatcher(new SourceTree(ProjectDirectory), options, _seams.Clock, _console);
        var failures = new FailureReader(() => _watcher.Tree, () => _seams.Requests.Options);
        _ends = new GenerationEnds(_seams, _console, _processEnd, failures);
        _staticFiles = new StaticFileWatcher(WebRoots, ProjectDirectory, options, _seams.Status, _seams.Clock, _console);
        _builder = new ProgramBuilder(prerequisites, _console);
        _builds = new BuildLoop<Attempt>(_watcher, _seams.Clock, BuildAsync);
        _retired = new RetiredGenerations(_seams.Clock, _console);
        _swapper = new Lazy<Swapper>(() => new Swapper(_seams, initial.State, _console, _processEnd, _retired, failures));
        var events = options.EventFile is { } file ? new EventFile(Path.GetFullPath(file, ProjectDirectory), _console) : null;
        _reports = new ReloadReports(_console, _seams.Status, failures, events, _seams.Clock);
        _live = new LiveView(Path.GetFileNameWithoutExtension(prerequisites.ProjectPath), () => _serving, _watcher, _retired, _seams.Clock);
        _foreignBuild = new ForeignBuild(
            Path.Combine(ProjectDirectory, "obj", prerequisites.Configuration, Path.GetFileName(Path.GetDirectoryName(prerequisites.AssemblyPath)!)),
            Path.GetDirectoryName(prerequisites.AssemblyPath)!);
    }

    public Generation Serving => _serving;

    public IReadOnlyList<ReloadRecord> History => _reports.History;

    private string ProjectDirectory => Path.GetDirectoryName(_prerequisites.ProjectPath)!;

    /// <summary>Gets a value indicating whether the last edit, or the generation that it led to, has failed.</summary>
    private bool HasFailed => _failed || _serving.Finished.IsCompleted;

    public void RequestReload(string reason) => _watcher.Request(reason);

    public void Pause()
    {
        _watcher.Pause();
        _seams.Status.Change(static now => now with { IsPaused = true });
    }

    public void Resume()
    {
        _seams.Status.Change(static now => now with { IsPaused = false });
        _watcher.Resume();
    }

    public DevEndpoints CreateEndpoints() =>
        new(_seams.Status, new DevReloaderHandle(), _live.Read, () => _seams.Requests.Options, _seams.Clock, _processEnd.Asked);

    public PageRefresh CreatePages(PathBases pathBases) => new(pathBases, () => _seams.Requests.Options, _console);

    /// <summary>Begins once the process's own generation has started; ends when the process does.</summary>
    public void Start()
    {
        using (ExecutionContext.SuppressFlow())
        {
            _ = Task.Run(RunAsync);
            _ = Task.Run(() => _staticFiles.RunAsync(_processEnd.Asked));
        }
    }

    private async Task RunAsync()
    {
        try
        {
            // Off the start-up path, but before it ends: an edit made from now on is not missed.
            _watcher.Start();
            await _serving.Started.WaitAsync(_processEnd.Asked).ConfigureAwait(false);
            TakeChargeOfEnds();
            await OpenCompilerAsync().ConfigureAwait(false);
            while (true)
            {
                var look = await WaitForChangesAsync().ConfigureAwait(false);
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

    private IEnumerable<string> WebRoots() =>
        _serving.Configuration?[WebHostDefaults.WebRootKey] is { Length: > 0 } own
            ? _watcher.Tree.WebRoots.Append(Path.GetFullPath(own, ProjectDirectory))
            : _watcher.Tree.WebRoots;

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

        _watcher.Others = GitOperation.Of(ProjectDirectory, _console) is { } git ? [git, _foreignBuild] : [_foreignBuild];
        _seams.Status.Change(static now => now with { Phase = ReloadPhase.Watching });
        _console.Say($"watching {ProjectDirectory}, ready after {_seams.Clock.GetElapsedTime(began).TotalSeconds:0.0} s");
    }

    private async Task<SourceLook> WaitForChangesAsync()
    {
        if (_reloadsOnDeltas < ReloadsBeforeRebase)
        {
            return await _watcher.WaitForChangesAsync(_processEnd.Asked).ConfigureAwait(false);
        }

        using var edited = CancellationTokenSource.CreateLinkedTokenSource(_processEnd.Asked);
        var rebase = RebaseAsync(edited.Token);
        var look = await _watcher.WaitForChangesAsync(_processEnd.Asked).ConfigureAwait(false);
        await edited.CancelAsync().ConfigureAwait(false);
        await rebase.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return look;
    }

    /// <summary>Makes a whole image of what serves, while nothing else is to do, for later deltas to build on.</summary>
    private async Task RebaseAsync(CancellationToken cancellationToken)
    {
        await Task.Delay(RestBeforeRebase, _seams.Clock, cancellationToken).ConfigureAwait(false);
        if (_builder.CompileWhole(cancellationToken).Program is { } program)
        {
            _served = _served is null ? null : program;
            _reloadsOnDeltas = 0;
        }
    }

    private async Task ReloadAsync(SourceLook look)
    {
        _said.Clear();
        if (await _builds.RunAsync(look, _processEnd.Asked).ConfigureAwait(false) is not { Result: { Reaction.Class: not ChangeClass.Nothing } attempt } finished)
        {
            _seams.Status.Change(static now => now with { Phase = ReloadPhase.Watching });
            return;
        }

        if (attempt.Refined is { } tree)
        {
            _watcher.Refine(tree);
        }

        var (build, reason) = (attempt.Result, finished.Changes.Describe(ProjectDirectory));
        _builder.Comment(build, finished.Changes, attempt.Reaction, finished.Took);
        if (build.Program is null)
        {
            _served = null;
            _reports.Rejected(build, _serving, reason, finished.Took, _seams.Clock.GetElapsedTime(finished.Noticed));
            return;
        }

        if (attempt.Reaction.Class == ChangeClass.Compile
            && finished.Changes.RequestedBecause is null
            && !HasFailed
            && _served?.IsSameAs(build.Program) == true)
        {
            _reports.Unchanged();
            _console.Say($"{reason}: comments and white space only, nothing to do");
            return;
        }

        using var turn = await _ends.BeginSwapAsync().ConfigureAwait(false);
        _seams.Status.Change(static now => now with { Phase = ReloadPhase.Swapping });
        var swap = await _swapper.Value.SwapAsync(_serving, Candidates(build.Program)).ConfigureAwait(false);
        var total = _seams.Clock.GetElapsedTime(finished.Noticed);
        _failed = swap.Failure is not null;
        _served = _failed ? null : build.Program;
        if (!_failed)
        {
            _lastGood = build.Program;
            _builder.Serves(build.Program);
        }

        if (swap.Serving is { } serving)
        {
            _retired.Add(_serving);
            _serving = serving;
            _ends.Watch(serving);
        }

        _reloadsOnDeltas = build.Program.HasDelta ? _reloadsOnDeltas + 1 : 0;
        _reports.Swapped(swap, _serving, reason, finished.Took, total);
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

    /// <summary>Does what a change asks for, short of starting the application.</summary>
    private async Task<Attempt> BuildAsync(SourceLook look, CancellationToken cancellationToken)
    {
        var reaction = _builder.React(look.Changes, $"generation {_serving.Number}", ReadsAgain);
        foreach (var remark in reaction.Remarks.Where(_said.Add))
        {
            _console.Say(remark);
        }

        if (reaction.Class != ChangeClass.Nothing)
        {
            _seams.Status.Change(static now => now with { Phase = ReloadPhase.Building });
        }

        switch (reaction.Class)
        {
            case ChangeClass.Nothing:
                return new Attempt(reaction, new BuildResult(null, []), null);
            case < ChangeClass.Reconfigure:
                var files = look.Files.ChangesSince(_compiled).Select(change => change.Path).ToArray();
                _compiled = look.Files;
                return new Attempt(reaction, _builder.Compile(files, cancellationToken), null);
            default:
                using (_foreignBuild.BeginOwn(_seams.Clock))
                {
                    try
                    {
                        var (result, tree) = await _builder.BuildAsync(reaction, cancellationToken).ConfigureAwait(false);
                        return new Attempt(reaction, result, tree);
                    }
                    catch (OperationCanceledException) when (!_processEnd.Asked.IsCancellationRequested)
                    {
                        _console.Say("saved again meanwhile, the build starts over");
                        throw;
                    }
                }
        }
    }

    /// <summary>Whether the application that serves reads a changed configuration file by itself. One that failed needs a new start.</summary>
    private bool ReadsAgain(string path) =>
        !HasFailed && !_seams.Requests.Options.RestartOnConfigurationChange && RunningConfiguration.ReadsAgain(_serving.Configuration, path);

    /// <summary>Not before the application's own start is over: until then it ends, and handles its exceptions, as it would without us.</summary>
    private void TakeChargeOfEnds()
    {
        var initial = _initial.Generation;
        new UnhandledExceptions(_seams, initial, _prerequisites.AssemblyPath, _console).Subscribe();
        _processEnd.ListenForCrashes();
        _processEnd.ListenFirst();
        if (_initial.MainThread is not null)
        {
            initial.OnEnding(() =>
            {
                if (!_processEnd.Asked.IsCancellationRequested)
                {
                    _processEnd.HoldOpen();
                }
            });
        }

        _seams.JudgesEndOf = generation =>
            !_processEnd.Asked.IsCancellationRequested && (generation != initial || _initial.MainThread is not null);
        _ends.Watch(initial);
    }

    /// <summary>What was made of one look at the sources.</summary>
    /// <param name="Reaction">What the changes asked for.</param>
    /// <param name="Result">The result.</param>
    /// <param name="Refined">The files that matter from now on, if that has changed.</param>
    private sealed record Attempt(Reaction Reaction, BuildResult Result, SourceTree? Refined);
}
