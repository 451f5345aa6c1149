using Microsoft.AspNetCore.Http.Features;

namespace ResilientHosting.Reloading;

/// <summary>A request on its way through the switch: what the server knows of it, and the application it has entered.</summary>
internal sealed class SwitchedRequest(IFeatureCollection features)
{
    private RunningApplication? _application;
    private object? _context;

    public IFeatureCollection Features => features;

    public CancellationToken Aborted => features.Get<IHttpRequestLifetimeFeature>()?.RequestAborted ?? default;

    /// <summary>Gets a value indicating whether waiting for the end is pointless: an event stream, a WebSocket.</summary>
    public bool NeverEnds
    {
        get
        {
            var response = features.GetRequiredFeature<IHttpResponseFeature>();
            return response.HasStarted
                && (response.StatusCode == StatusCodes.Status101SwitchingProtocols
                    || features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true }
                    || response.Headers.ContentType.ToString().StartsWith("text/event-stream", StringComparison.OrdinalIgnoreCase));
        }
    }

    public async Task RunAsync(RunningApplication application)
    {
        _application = application;

        // What the request starts and leaves behind belongs to the generation it ran in, whichever accepted its connection.
        Generation.Current = application.Generation.Number == 0 ? null : application.Generation;

        // Assembly.Load("MyApp") from anywhere in this request has to find this generation's, not the one the process began with.
        using (application.Generation.EnterContextualReflection())
        {
            _context = application.CreateContext(features);
            await application.ProcessAsync(_context).ConfigureAwait(false);
        }
    }

    public void Finish(Exception? exception)
    {
        if (_application is null)
        {
            return;
        }

        try
        {
            if (_context is not null)
            {
                _application.DisposeContext(_context, exception);
            }
        }
        finally
        {
            _application.Exit(this);
        }
    }

    public void Abort() => features.Get<IHttpRequestLifetimeFeature>()?.Abort();
}
