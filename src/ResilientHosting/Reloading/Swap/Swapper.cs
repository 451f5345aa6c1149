using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace ResilientHosting.Reloading;

/// <summary>
/// Puts a new generation in the place of the one that serves. The old one is stopped before the new one starts, because two live
/// copies of a resource are what this library exists to prevent; requests wait meanwhile.
/// </summary>
[RequiresUnreferencedCode("Runs the application again.")]
internal sealed class Swapper(
    SwapSeams seams, ProcessState processState, ReloadConsole console, ProcessEnd processEnd, RetiredGenerations retired, FailureReader failures)
{
    private const int CodeOfAFailedStart = 1;

    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(5);

    // The last good version must not wait long, but it should not meet what the failed one is just about to release.
    private static readonly TimeSpan AbandonTimeout = TimeSpan.FromMilliseconds(250);

    private int _lastNumber;

    /// <summary>Replaces a generation by the first of the candidates that starts.</summary>
    /// <param name="old">The generation that serves, or did.</param>
    /// <param name="candidates">The new version, perhaps in more than one form, and then the last good one; read only as far as needed.</param>
    public async Task<SwapReport> SwapAsync(Generation old, IEnumerable<Candidate> candidates)
    {
        using var swap = processEnd.BeginSwap();
        try
        {
            return await ReplaceAsync(old, candidates).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (processEnd.Asked.IsCancellationRequested)
        {
            await processEnd.ExitAfterAsync(old).ConfigureAwait(false);
            throw;
        }
    }

    private async Task<SwapReport> ReplaceAsync(Generation old, IEnumerable<Candidate> candidates)
    {
        var stopBegan = seams.Clock.GetTimestamp();
        seams.Requests.Hold();
        seams.BeginSwap();
        await StopAsync(old).ConfigureAwait(false);
        processEnd.Asked.ThrowIfCancellationRequested();

        var startBegan = seams.Clock.GetTimestamp();
        Exception? failure = null;
        var failed = startBegan;
        Generation? serving = null;
        foreach (var candidate in candidates)
        {
            if (failure is TimeoutException && candidate.IsNew)
            {
                // Another form of it would hang as well, and requests wait.
                continue;
            }

            try
            {
                serving = await StartAsync(old, candidate.Program).ConfigureAwait(false);
                failure = candidate.IsNew ? null : failure;
                break;
            }
#pragma warning disable CA1031 // Whatever the application throws while it starts, the last good version is to serve again.
            catch (Exception e)
#pragma warning restore CA1031
            {
                processEnd.Asked.ThrowIfCancellationRequested();
                failed = failure is null ? seams.Clock.GetTimestamp() : failed;
                failure = candidate.IsNew ? e : failure ?? e;
            }
        }

        var held = 0;
        if (serving is not null)
        {
            held = Publish(serving);
            seams.EndRetired();
            if (processEnd.Asked.IsCancellationRequested)
            {
                // Its host may not have listened yet when the signal came.
                serving.StopApplication();
            }
        }
        else
        {
            // First, so that the requests that have waited are answered with it.
            var shown = failures.Read("The latest edit does not start, nor does the last good version.", failure!);
            seams.Status.Change(now => now with { Failure = shown });
            seams.Requests.Fail("The application could not be started.");
            seams.ReviveLast();
            processEnd.WaitForFix(CodeOfAFailedStart);
        }

        var served = seams.Clock.GetTimestamp();
        await ReleaseListenersAsync(serving).ConfigureAwait(false);
        return new SwapReport(
            serving,
            failure,
            seams.Clock.GetElapsedTime(stopBegan, startBegan),
            seams.Clock.GetElapsedTime(startBegan, served),
            failure is null ? TimeSpan.Zero : seams.Clock.GetElapsedTime(failed, served),
            held,
            old.CutRequests);
    }

    private async Task StopAsync(Generation old)
    {
        if (old.HasOrdinaryServer)
        {
            // A server without our listeners can only be told to hurry.
            old.LimitShutdown(seams.Requests.Options.DrainTimeout);
            console.Say("this first reload closes and re-opens the port; builder.Services.AddDevReloader() avoids that");
        }
        else
        {
            old.LimitShutdown(StopTimeout);
        }

        old.RequestStop();
        var (others, othersStopped) = old.StopOthers(
            StopTimeout, seams.Clock, e => console.Say("a further host of this process did not stop cleanly: " + e.Message));
        if (others > 0)
        {
            console.Say($"{others} more {(others == 1 ? "host" : "hosts")} of this process started again with the application; one is reloaded without closing its port, the others are not");
        }

        try
        {
            // Whether another generation follows or the process ends: this one may finish what it does when it stops.
            await Task.WhenAll(old.Stopped, othersStopped).WaitAsync(StopTimeout + seams.Requests.Options.DrainTimeout, seams.Clock)
                .ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            console.Say($"generation {old.Number} did not stop within {StopTimeout.TotalSeconds:0} s and is left behind");
        }
    }

    private async Task<Generation> StartAsync(Generation old, ProgramImage program)
    {
        var number = Interlocked.Increment(ref _lastNumber);
        var context = new GenerationLoadContext(number, program);
        var application = context.LoadApplication();
        var generation = new Generation(number, context);
        seams.Generations.Add(context, generation);
        RestoreProcess();
        EntryPoint.Run(generation, application, host => host.ConfigureServices((_, services) =>
        {
            seams.AddTo(services, generation);
            services.TryAddSingleton<IDevReloader, DevReloaderHandle>();
            if (old.IsWorker)
            {
                services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, WorkerStart>());
            }
        }));

        try
        {
            await Task.WhenAny(generation.Started, generation.Finished)
                .WaitAsync(seams.Requests.Options.StartTimeout, seams.Clock, processEnd.Asked).ConfigureAwait(false);
            if (!generation.Started.IsCompleted)
            {
                var exitCode = await generation.Finished.ConfigureAwait(false);
                throw new InvalidOperationException($"Program.cs ended with exit code {exitCode} before a host had started.");
            }

            return generation.Application is not null || generation.IsWorker
                ? generation
                : throw new InvalidOperationException("The application started without Kestrel; the reloader knows no other server.");
        }
        catch (Exception e)
        {
            await AbandonAsync(generation).ConfigureAwait(false);
            if (e is TimeoutException)
            {
                throw new TimeoutException(
                    $"The application did not start within {seams.Requests.Options.StartTimeout.TotalSeconds:0} s (DevReloaderOptions.StartTimeout).", e);
            }

            throw;
        }
    }

    private async Task AbandonAsync(Generation generation)
    {
        generation.RequestStop();
        try
        {
            await generation.Stopped.WaitAsync(AbandonTimeout, seams.Clock).ConfigureAwait(false);
        }
        catch (TimeoutException) when (processEnd.Asked.IsCancellationRequested)
        {
            // It ends with the process.
        }
        catch (TimeoutException)
        {
            console.Say($"generation {generation.Number} does not react to being stopped and is left behind");
            _ = SayWhenStoppedAsync(generation);
        }

        retired.Add(generation);
    }

    private async Task SayWhenStoppedAsync(Generation generation)
    {
        await generation.Stopped.ConfigureAwait(false);
        console.Say($"generation {generation.Number} has ended at last");
    }

    private void RestoreProcess()
    {
        try
        {
            processState.Restore();
        }
        catch (IOException e)
        {
            console.Say("the directory that the process was started in is gone: " + e.Message);
        }
    }

    private int Publish(Generation serving)
    {
        if (serving.Application is { } application)
        {
            return seams.Requests.Publish(application);
        }

        seams.Requests.Fail("The application has no web server any more.");
        return 0;
    }

    private Task ReleaseListenersAsync(Generation? serving) =>
        serving is null ? Task.CompletedTask : seams.Listeners.ReleaseUnclaimedAsync();
}

/// <summary>A program that may be started next.</summary>
/// <param name="Program">The program.</param>
/// <param name="IsNew">Whether it holds the edit, rather than the last good version.</param>
internal sealed record Candidate(ProgramImage Program, bool IsNew);
