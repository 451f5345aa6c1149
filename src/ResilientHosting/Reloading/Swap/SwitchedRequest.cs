using Microsoft.AspNetCore.Http.Features;

namespace ResilientHosting.Reloading;

/// <summary>A request on its way through the switch: what the server knows of it, and the application it has entered.</summary>
internal sealed class SwitchedRequest(IFeatureCollection features)
{
    private RunningApplication? _application;
    private object? _context;

    public IFeatureCollection Features => features;

    public CancellationToken Aborted => features.Get<IHttpRequestLifetimeFeature>()?.RequestAborted ?? default;

    /// <summary>Gets how far it has got.</summary>
    public RequestStage Stage
    {
        get
        {
            var response = features.GetRequiredFeature<IHttpResponseFeature>();
            return response switch
            {
                { HasStarted: false } => RequestStage.Unanswered,
                { StatusCode: StatusCodes.Status101SwitchingProtocols } => RequestStage.WebSocket,
                _ when features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true } => RequestStage.WebSocket,
                _ when IsEventStream(response.Headers.ContentType.ToString()) => RequestStage.EventStream,
                _ => RequestStage.Answering,
            };
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

    /// <summary>Ends it without an answer, or in the middle of one.</summary>
    public CutRequest Cut()
    {
        // A decoded path may hold line breaks.
        var request = features.GetRequiredFeature<IHttpRequestFeature>();
        var cut = new CutRequest(request.Method, new PathString(request.Path).ToUriComponent(), Stage);
        Abort();
        return cut;
    }

    private void Abort() => features.Get<IHttpRequestLifetimeFeature>()?.Abort();

    private static bool IsEventStream(string contentType) => contentType.StartsWith("text/event-stream", StringComparison.OrdinalIgnoreCase);
}
