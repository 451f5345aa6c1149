using Microsoft.Extensions.Hosting;

namespace ResilientHosting.Reloading;

/// <summary>
/// The hosts that one run of the program has built. Besides the one that is reloaded these may be a bootstrap host or a second web host.
/// Those that still run when the generation stops are stopped with it, because the next generation builds them again.
/// </summary>
internal sealed class RunHosts
{
    private readonly List<(IHost Host, IHostApplicationLifetime Lifetime)> _hosts = [];

    /// <summary>Adds a host that was built. It may turn out to be the one that is reloaded.</summary>
    public void Add(IHost host)
    {
        if (host.Services.GetService<IHostApplicationLifetime>() is { } lifetime)
        {
            lock (_hosts)
            {
                _hosts.Add((host, lifetime));
            }
        }
    }

    public IReadOnlyList<IHostApplicationLifetime> Lifetimes
    {
        get
        {
            lock (_hosts)
            {
                return [.. _hosts.Select(host => host.Lifetime)];
            }
        }
    }

    public void Clear()
    {
        lock (_hosts)
        {
            _hosts.Clear();
        }
    }

    /// <summary>Begins to stop those that run besides the one that is reloaded, cutting whatever they do when the time is over.</summary>
    /// <returns>How many there are, and a task that completes when they have stopped. It never fails.</returns>
    public (int Count, Task Stopped) StopOthers(
        IHostApplicationLifetime? reloaded, TimeSpan timeout, TimeProvider clock, Action<Exception> onFailure)
    {
        IHost[] running;
        lock (_hosts)
        {
            running = [.. _hosts.Where(host => host.Lifetime != reloaded && IsRunning(host.Lifetime)).Select(host => host.Host)];
            _hosts.Clear();
        }

        return (running.Length, Task.WhenAll(running.Select(host => StopAsync(host, timeout, clock, onFailure))));
    }

    private static bool IsRunning(IHostApplicationLifetime lifetime) =>
        lifetime.ApplicationStarted.IsCancellationRequested && !lifetime.ApplicationStopped.IsCancellationRequested;

    private static async Task StopAsync(IHost host, TimeSpan timeout, TimeProvider clock, Action<Exception> onFailure)
    {
        // Whatever the application does when it stops, it must not block a swap.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        using var limit = new CancellationTokenSource(timeout, clock);
        try
        {
            await host.StopAsync(limit.Token).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // It is being thrown away, and the program that owns it hears of the failure where it stops the host itself.
        catch (Exception e)
#pragma warning restore CA1031
        {
            onFailure(e);
        }
    }
}
