using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;

namespace ResilientHosting.Reloading;

/// <summary>
/// What a Kestrel of any generation believes to be its application. The request really runs in whichever generation serves when it
/// arrives, so a connection outlives the generation that accepted it.
/// </summary>
internal sealed class SwitchedApplication(SwapSeams seams, Generation acceptedBy) : IHttpApplication<SwitchedRequest>
{
    public SwitchedRequest CreateContext(IFeatureCollection contextFeatures) => new(contextFeatures);

    public async Task ProcessRequestAsync(SwitchedRequest context)
    {
        if (seams.Endpoints is { } endpoints && endpoints.Owns(context.Features))
        {
            if (seams.Requests.Application is { } serving && serving.Generation != acceptedBy)
            {
                MoveOn(context.Features);
            }

            await endpoints.HandleAsync(new DefaultHttpContext(context.Features), acceptedBy).ConfigureAwait(false);
            return;
        }

        RunningApplication application;
        try
        {
            application = await seams.Requests.EnterAsync(context).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (context.Aborted.IsCancellationRequested)
        {
            context.Features.GetRequiredFeature<IHttpResponseFeature>().StatusCode = StatusCodes.Status499ClientClosedRequest;
            return;
        }
        catch (ApplicationUnavailableException unavailable)
        {
            await UnavailableAnswer.WriteAsync(context.Features, unavailable.Message, seams.Status.Now, seams.Requests.Options).ConfigureAwait(false);
            return;
        }

        Mark(context.Features, application.Generation);
        await (seams.Pages is { } pages
            ? pages.RunAsync(context.Features, application.Generation, () => context.RunAsync(application))
            : context.RunAsync(application)).ConfigureAwait(false);
    }

    public void DisposeContext(SwitchedRequest context, Exception? exception) => context.Finish(exception);

    private void Mark(IFeatureCollection features, Generation runsIn)
    {
        if (runsIn != acceptedBy)
        {
            MoveOn(features);
        }

        DevReloaderHeaders.Mark(features, runsIn, seams.Status, seams.Requests.Options);
    }

    /// <summary>Tells the client to send its next request over a new connection, which the server that serves now will accept.</summary>
    private static void MoveOn(IFeatureCollection features)
    {
        if (HttpProtocol.IsHttp2(features.GetRequiredFeature<IHttpRequestFeature>().Protocol))
        {
            // GOAWAY: the client finishes what it has begun and opens its next stream on a new connection.
            features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();
            return;
        }

        features.GetRequiredFeature<IHttpResponseFeature>().OnStarting(
            static state =>
            {
                var response = (IHttpResponseFeature)state;
                if (response.StatusCode != StatusCodes.Status101SwitchingProtocols)
                {
                    response.Headers.Connection = "close";
                }

                return Task.CompletedTask;
            },
            features.GetRequiredFeature<IHttpResponseFeature>());
    }
}
