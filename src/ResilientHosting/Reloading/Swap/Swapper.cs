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
    SwapSeams seams, ReloadConsole console, ProcessEnd processEnd)
{
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(5);

    private int _lastNumber;

    /// <summary>Replaces a generation by the first of the candidates that starts.</summary>
    /// <param name="old">The generation that serves, or did.</param>
    /// <param name="candidates">The new version, perhaps in more than one form, and then the last good one; read only as far as needed.</param>
    public async Task<SwapReport> SwapAsync(Generation old, IEnumerable<Candidate> candidates)
    {
        using var swap = processEnd.BeginSwap();
        var stopBegan = seams.Clock.GetTimestamp();
        seams.Requests.Hold();
        await StopAsync(old).ConfigureAwait(false);
        processEnd.ExitIfAsked();

        var startBegan = seams.Clock.GetTimestamp();
        Exception? failure = null;
        Generation? serving = null;
        foreach (var candidate in candidates)
        {
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
                processEnd.ExitIfAsked();
                failure = candidate.IsNew ? e : failure ?? e;
            }
        }

        var held = 0;
        if (serving is not null)
        {
            held = Publish(serving);
            seams.EndRetired(e => console.Say("a retired server did not end cleanly: " + e.Message));
        }
        else
        {
            seams.Requests.Fail(failure!);
            seams.ReviveLast();
        }

        processEnd.ExitIfAsked();
        var served = seams.Clock.GetTimestamp();
        await ReleaseListenersAsync(serving).ConfigureAwait(false);
        return new SwapReport(
            serving,
            failure,
            seams.Clock.GetElapsedTime(stopBegan, startBegan),
            seams.Clock.GetElapsedTime(startBegan, served),
            held,
            old.CutRequests);
    }

    private async Task StopAsync(Generation old)
    {
        if (old.HasOrdinaryServer)
        {
            // A server without our listeners can only be told to hurry.
            old.LimitShutdown(seams.Requests.Options.DrainTimeout);
            console.Say(seams.KeepPorts()
                ? "this first reload closes idle connections, because a server was registered behind AddDevReloader(); call UseKestrel() before UseStartup()"
                : "this first reload closes and re-opens the port; builder.Services.AddDevReloader() avoids that");
        }
        else
        {
            old.LimitShutdown(StopTimeout);
        }

        old.RequestStop();
        var (others, othersStopped) = old.StopOthers(StopTimeout, seams.Clock);
        if (others > 0)
        {
            console.Say($"{others} more {(others == 1 ? "host" : "hosts")} of this process started again with the application; one is reloaded without closing its port, the others are not");
        }

        try
        {
            await Task.WhenAll(old.Stopped, othersStopped).WaitAsync(StopTimeout + seams.Requests.Options.DrainTimeout, seams.Clock, processEnd.Asked)
                .ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            console.Say($"generation {old.Number} did not stop within {StopTimeout.TotalSeconds:0} s and is left behind");
        }
        catch (OperationCanceledException)
        {
            // Ctrl+C: there will be no next generation.
        }
    }

    private async Task<Generation> StartAsync(Generation old, ProgramImage program)
    {
        var number = Interlocked.Increment(ref _lastNumber);
        var context = new GenerationLoadContext(number, program);
        var generation = new Generation(number, context);
        EntryPoint.Run(generation, context.Application, host => host.ConfigureServices((_, services) =>
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
                await generation.Finished.ConfigureAwait(false);
                throw new InvalidOperationException("Program.cs returned without running a host.");
            }

            return generation.Application is not null || generation.IsWorker
                ? generation
                : throw new InvalidOperationException("The application started without Kestrel; the reloader knows no other server.");
        }
        catch (Exception e)
        {
            generation.RequestStop();
            generation.Unload();
            if (e is TimeoutException)
            {
                throw new TimeoutException(
                    $"The application did not start within {seams.Requests.Options.StartTimeout.TotalSeconds:0} s (DevReloaderOptions.StartTimeout).", e);
            }

            throw;
        }
    }

    private int Publish(Generation serving)
    {
        if (serving.Application is { } application)
        {
            return seams.Requests.Publish(application);
        }

        seams.Requests.Fail(new InvalidOperationException("The application has no web server any more."));
        return 0;
    }

    private Task ReleaseListenersAsync(Generation? serving) =>
        serving is null ? Task.CompletedTask : seams.Listeners.ReleaseUnclaimedAsync();
}

/// <summary>A program that may be started next.</summary>
/// <param name="Program">The program.</param>
/// <param name="IsNew">Whether it holds the edit, rather than the last good version.</param>
internal sealed record Candidate(ProgramImage Program, bool IsNew);
