using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;

namespace ResilientHosting.Reloading;

/// <summary>
/// The server of one generation. When its application stops, for a swap or by itself, Kestrel goes on: its connections' next requests
/// run in the next generation, and it ends when the last of them has moved over.
/// </summary>
internal sealed class SwitchedServer(IServer kestrel, ServerConnections connections, SwapSeams seams, Generation generation) : IServer
{
    private bool _ended;

    public IFeatureCollection Features => kestrel.Features;

    public async Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellationToken)
        where TContext : notnull
    {
        generation.Application = new RunningApplication<TContext>(generation, application);
        if (generation.Number == 0)
        {
            // Later generations are published once they have started as a whole.
            seams.Requests.Publish(generation.Application);
        }

        try
        {
            await kestrel.StartAsync(new SwitchedApplication(seams, generation), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception) when (generation.Number == 0)
        {
            // Nobody else is going to listen.
            await seams.Listeners.CloseAsync().ConfigureAwait(false);
            throw;
        }

        await seams.Listeners.ServeAsync(connections, cancellationToken).ConfigureAwait(false);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (!_ended && !seams.Outlives(generation))
        {
            await kestrel.StopAsync(cancellationToken).ConfigureAwait(false);
            return;
        }

        Retire();
        if (generation.Application is { } application)
        {
            // One that nobody waits to replace has all the time that its host grants.
            var timeout = generation.StopRequested ? seams.Requests.Options.DrainTimeout : generation.ShutdownTimeout;
            generation.CutRequests = await application.DrainAsync(timeout, seams.Clock).ConfigureAwait(false);
        }
    }

    public void Dispose()
    {
        if (!_ended && !seams.Outlives(generation))
        {
            kestrel.Dispose();
        }
        else
        {
            // A generation that failed to start comes here without having been stopped.
            Retire();
        }
    }

    private void Retire()
    {
        if (!_ended)
        {
            _ended = true;
            connections.Retire();
            seams.Retired(generation, kestrel, connections);
        }
    }
}
