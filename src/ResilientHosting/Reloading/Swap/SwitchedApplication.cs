using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;

namespace ResilientHosting.Reloading;

/// <summary>
/// What a Kestrel of any generation believes to be its application. The request really runs in whichever generation serves when it
/// arrives, so a connection outlives the generation that accepted it.
/// </summary>
internal sealed class SwitchedApplication(RequestSwitch requests, Generation acceptedBy) : IHttpApplication<SwitchedRequest>
{
    public SwitchedRequest CreateContext(IFeatureCollection contextFeatures) => new(contextFeatures);

    public async Task ProcessRequestAsync(SwitchedRequest context)
    {
        RunningApplication application;
        try
        {
            application = await requests.EnterAsync(context).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (context.Aborted.IsCancellationRequested)
        {
            context.Features.GetRequiredFeature<IHttpResponseFeature>().StatusCode = StatusCodes.Status499ClientClosedRequest;
            return;
        }
        catch (ApplicationUnavailableException unavailable)
        {
            await UnavailableAnswer.WriteAsync(context.Features, unavailable).ConfigureAwait(false);
            return;
        }

        Mark(context.Features, application.Generation);
        await context.RunAsync(application).ConfigureAwait(false);
    }

    public void DisposeContext(SwitchedRequest context, Exception? exception) => context.Finish(exception);

    private void Mark(IFeatureCollection features, Generation runsIn)
    {
        var moveOn = runsIn != acceptedBy;
        if (moveOn && HttpProtocol.IsHttp2(features.GetRequiredFeature<IHttpRequestFeature>().Protocol))
        {
            // GOAWAY: the client finishes what it has begun and opens its next stream on a new connection.
            features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();
            moveOn = false;
        }

        var response = features.GetRequiredFeature<IHttpResponseFeature>();

        // Registered first, so called last: whatever the application does to its headers, these are there.
        response.OnStarting(
            static state =>
            {
                var (response, number, moveOn) = ((IHttpResponseFeature, string, bool))state;
                response.Headers[DevReloaderHeaders.Generation] = number;
                if (moveOn && response.StatusCode != StatusCodes.Status101SwitchingProtocols)
                {
                    response.Headers.Connection = "close";
                }

                return Task.CompletedTask;
            },
            (response, runsIn.HeaderValue, moveOn));
    }
}
