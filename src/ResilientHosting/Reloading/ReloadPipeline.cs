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

    private readonly Prerequisites _prerequisites;
    private readonly SwapSeams _seams;
    private readonly ReloadConsole _console = ReloadConsole.Standard;
    private readonly InitialGeneration _initial;
    private readonly ProcessEnd _processEnd;
    private readonly GenerationEnds _ends;
    private readonly SourceWatcher _watcher;
    private readonly BuildLoop _builds;
    private readonly Lazy<Swapper> _swapper;
    private readonly Queue<ReloadRecord> _history = new();
    private SolutionCompiler? _compiler;
    private SourceSnapshot _compiled = SourceSnapshot.Empty;
    private ProgramImage? _lastGood;
    private volatile Generation _serving;

    public ReloadPipeline(Prerequisites prerequisites, InitialGeneration initial, DevReloaderOptions options)
    {
        _prerequisites = prerequisites;
        _initial = initial;
        _seams = initial.Seams;
        _serving = initial.Generation;
        _processEnd = new ProcessEnd(_seams.Clock);
        _ends = new GenerationEnds(_seams, _console, _processEnd);
        _watcher = new SourceWatcher(new SourceTree(ProjectDirectory), options, _seams.Clock, _console);
        _builds = new BuildLoop(_watcher, _seams.Clock, Build);
        _swapper = new Lazy<Swapper>(() => new Swapper(_seams, initial.State, _console, _processEnd));
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
            TakeChargeOfEnds();
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
        while (_compiler is null)
        {
            try
            {
                var graph = await ProjectGraph.QueryAsync(
                    _prerequisites.Dotnet, _prerequisites.ProjectPath, _prerequisites.Configuration, _processEnd.Asked).ConfigureAwait(false);
                _watcher.Refine(new SourceTree(graph));
                _watcher.Others = FindOthers(graph.Application.CommandLine!);
                _lastGood = ProjectLibraries.ReadProgram(_prerequisites.AssemblyPath);
                _compiled = _watcher.Served;
                _compiler = SolutionCompiler.Open(
                    new RoslynLoadContext(graph.Application.CommandLine!.RoslynDirectory), graph, _lastGood);
            }
            catch (InvalidOperationException e)
            {
                _console.Say($"can't compile {_prerequisites.ProjectPath} ({e.Message}); waiting for the next edit");
                await _watcher.WaitForNextEditAsync(_processEnd.Asked).ConfigureAwait(false);
            }
        }

        _console.Say($"watching {ProjectDirectory}, ready after {_seams.Clock.GetElapsedTime(began).TotalSeconds:0.0} s");
    }

    private IReadOnlyList<IWorkInProgress> FindOthers(CompilerCommandLine commandLine)
    {
        var build = new ForeignBuild(commandLine.IntermediateDirectory, Path.GetDirectoryName(_prerequisites.AssemblyPath)!);
        return GitOperation.Of(ProjectDirectory, _console) is { } git ? [git, build] : [build];
    }

    private async Task ReloadAsync(SourceLook look)
    {
        if (await _builds.RunAsync(look, _processEnd.Asked).ConfigureAwait(false) is not { } finished)
        {
            return;
        }

        var (build, buildTime, noticed) = (finished.Result, finished.Took, finished.Noticed);
        var reason = finished.Changes.Describe(ProjectDirectory);
        if (build.Program is null)
        {
            ReportErrors(build, reason, buildTime, _seams.Clock.GetElapsedTime(noticed));
            return;
        }

        using var turn = await _ends.BeginSwapAsync().ConfigureAwait(false);
        var swap = await _swapper.Value.SwapAsync(_serving, Candidates(build.Program)).ConfigureAwait(false);
        var total = _seams.Clock.GetElapsedTime(noticed);
        if (swap.Failure is null)
        {
            _lastGood = build.Program;
        }

        if (swap.Serving is { } serving)
        {
            _serving.Unload();
            _serving = serving;
            _ends.Watch(serving);
        }

        ReportSwap(swap, reason, buildTime, total);
    }

    private IEnumerable<Candidate> Candidates(ProgramImage program)
    {
        yield return new Candidate(program, IsNew: true);
        if (program.HasDelta && _compiler!.CompileWhole(_processEnd.Asked).Program is { } whole)
        {
            // The runtime may have refused the delta. If it is the program that fails, a whole image at least tells the line: methods
            // that a delta replaced have no line numbers in a stack trace.
            yield return new Candidate(whole, IsNew: true);
        }

        yield return new Candidate(_lastGood!, IsNew: false);
    }

    private BuildResult Build(SourceLook look, CancellationToken cancellationToken)
    {
        var files = look.Files.ChangesSince(_compiled).Select(change => change.Path).ToArray();
        _compiled = look.Files;
        return _compiler!.Compile(files, cancellationToken);
    }

    /// <summary>Not before the application's own start is over: until then it ends, and handles its exceptions, as it would without us.</summary>
    private void TakeChargeOfEnds()
    {
        var initial = _initial.Generation;
        new UnhandledExceptions(_seams, initial, _prerequisites.AssemblyPath, _console).Subscribe();
        _processEnd.ListenFirst();
        if (_initial.MainThread is { } main)
        {
            initial.OnEnding(() =>
            {
                if (!_processEnd.Asked.IsCancellationRequested)
                {
                    _processEnd.HoldOpen(initial, main);
                }
            });
        }

        _seams.JudgesEndOf = generation =>
            !_processEnd.Asked.IsCancellationRequested && (generation != initial || _initial.MainThread is not null);
        _ends.Watch(initial);
    }

    private void ReportErrors(BuildResult build, string reason, TimeSpan buildTime, TimeSpan total)
    {
        var errors = build.Errors.ToArray();
        foreach (var error in errors)
        {
            _console.Show(error);
        }

        var serves = _serving.StopRequested ? "waiting for the next edit" : $"generation {_serving.Number} keeps serving";
        _console.Say($"{reason}: {errors.Length} {(errors.Length == 1 ? "error" : "errors")}, {serves}");
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
                : $"{reason}: does not start; the last good version serves again as generation {swap.Serving.Number}, after {swap.Recovery.TotalMilliseconds:0} ms");
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
