using System.Diagnostics;
using Microsoft.AspNetCore.Http.Features;

namespace ResilientHosting.Resources;

/// <summary>The trace of one teardown: a child of the request's activity. Costs nothing while nobody listens.</summary>
internal static class TeardownActivity
{
    // Immutable, and one for the process: an activity source is known to its listeners for as long as it exists.
    private static readonly ActivitySource Source = new("ResilientHosting");

    /// <summary>
    /// Makes the request's activity the current one for the teardowns that follow. The one that was current when the first resource was
    /// created may have been anybody's, and has ended.
    /// </summary>
    public static void EnterRequest(HttpContext? context)
    {
        if (Source.HasListeners() && context?.Features.Get<IHttpActivityFeature>()?.Activity is { } request)
        {
            Activity.Current = request;
        }
    }

    public static Activity? Start(OwnedObject owned, ScopeOutcomeKind outcome)
    {
        if (!owned.IsTornDown || Source.StartActivity("resource.teardown") is not { } activity)
        {
            return null;
        }

        activity.SetTag("resilient_hosting.resource.name", owned.Name);
        activity.SetTag("resilient_hosting.scope.outcome", outcome.ToString());
        return activity;
    }

    public static void Fail(Activity? activity, Exception failure)
    {
        activity?.SetTag("error.type", failure.GetType().FullName);
        activity?.SetStatus(ActivityStatusCode.Error, failure.Message);
    }
}
