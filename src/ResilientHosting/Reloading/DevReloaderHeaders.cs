using Microsoft.AspNetCore.Http.Features;

namespace ResilientHosting.Reloading;

internal static class DevReloaderHeaders
{
    /// <summary>Tells which generation answered; which one served last, where none does. Development only.</summary>
    public const string Generation = "X-Dev-Generation";

    /// <summary>Tells, while the latest edit is not being served, why. For the developer's own machine only.</summary>
    public const string Error = "X-Dev-Error";

    /// <summary>Tells why a page is not refreshed by itself.</summary>
    public const string Refresh = "X-Dev-Refresh";

    /// <summary>What a request that steers the reloader has to know.</summary>
    public const string Token = "X-Dev-Token";

    /// <summary>Marks the answer that a generation is about to give.</summary>
    public static void Mark(IFeatureCollection features, Generation runsIn, ReloadStatus status, DevReloaderOptions options)
    {
        var response = features.GetRequiredFeature<IHttpResponseFeature>();
        var error = status.Now.Failure is { } failure && DevAccess.WhyMayNotRead(new DefaultHttpContext(features), options) is null
            ? failure.ToHeaderValue()
            : null;

        // Registered first, so called last: whatever the application does to its headers, these are there.
        response.OnStarting(
            static state =>
            {
                var (response, number, error) = ((IHttpResponseFeature, string, string?))state;
                response.Headers[Generation] = number;
                if (error is not null)
                {
                    response.Headers[Error] = error;
                }

                return Task.CompletedTask;
            },
            (response, runsIn.HeaderValue, error));
    }
}
