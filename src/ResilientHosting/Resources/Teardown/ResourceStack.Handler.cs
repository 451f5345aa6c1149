using System.Runtime.ExceptionServices;

namespace ResilientHosting.Resources;

/// <content>
/// The second release point: the handler has returned and its result is not written yet. The scope goes on, and whoever asks for a
/// released resource gets a new one.
/// </content>
internal sealed partial class ResourceStack
{
    private bool _promoted;
    private bool _mayEndWithHandler;

    /// <summary>Gives back what ends with the handler. The first failure becomes the request's exception.</summary>
    /// <param name="result">What the handler returned.</param>
    /// <param name="endpoint">The endpoint the handler belongs to, which may release everything.</param>
    /// <param name="outcome">How the scope has gone; <see langword="null"/> in a request, which knows itself.</param>
    public Task OnHandlerReturnedAsync(object? result, Endpoint? endpoint, ScopeOutcome? outcome = null)
    {
        var ending = EndingWithHandler(endpoint);
        if (ending.Length == 0)
        {
            return Task.CompletedTask;
        }

        outcome ??= OutcomeSoFar(exception: null);
        if (HandlerResult.WhyItIsTooEarly(result, outcome.ResponseStarted) is { } reason)
        {
            if (Environment.IsDevelopment)
            {
                throw TooEarly(ending, reason);
            }

            Promote(ending, reason);
            return Task.CompletedTask;
        }

        outcome = HandlerResult.StatusCodeOf(result) is { } status ? outcome with { StatusCode = status } : outcome;
        return RunAsync(async () => Throw(await ReleaseAsync(ending, outcome, report: false).ConfigureAwait(false)));
    }

    /// <summary>Gives back what ends with the handler. The handler's exception goes on; what fails besides is logged.</summary>
    public Task OnHandlerFailedAsync(Exception exception, Endpoint? endpoint, ScopeOutcome? outcome = null)
    {
        var ending = EndingWithHandler(endpoint);
        return ending.Length == 0
            ? Task.CompletedTask
            : RunAsync(() => ReleaseAsync(ending, outcome ?? OutcomeSoFar(exception), report: true));
    }

    /// <summary>The pipeline has ended: what should have ended with a handler has met none.</summary>
    private void ReportMissedRelease()
    {
        if (!_promoted && Environment.Logger.IsEnabled(LogLevel.Debug)
            && EndingWithHandler(HttpContext?.GetEndpoint()) is { Length: > 0 } missed)
        {
            Promote(missed, "no handler has returned since it was created");
        }
    }

    /// <summary>First the resources that always end here, since no other may depend on them; each kind newest first.</summary>
    private OwnedObject[] EndingWithHandler(Endpoint? endpoint)
    {
        lock (Gate)
        {
            if (_resources.IsEmpty)
            {
                return [];
            }

            var newestFirst = _resources.NewestFirst;
            return endpoint?.Metadata.GetMetadata<ReleaseResourcesAfterHandlerMetadata>() is not null
                    ? [.. newestFirst.OrderByDescending(resource => resource.EndsWithHandler)]
                : _mayEndWithHandler
                    ? [.. newestFirst.Where(resource => resource.EndsWithHandler)]
                : [];
        }
    }

    private async Task<List<Exception>?> ReleaseAsync(OwnedObject[] ending, ScopeOutcome outcome, bool report)
    {
        TeardownActivity.EnterRequest(HttpContext);
        var teardown = new Teardown(this, outcome);
        List<Exception>? failures = null;
        foreach (var resource in ending)
        {
            if (await resource.ReleaseAsync(teardown).ConfigureAwait(false) is { } failure)
            {
                (failures ??= []).Add(failure);
            }
        }

        if (report)
        {
            teardown.Report();
        }

        return failures;
    }

    private void Throw(List<Exception>? failures)
    {
        switch (failures)
        {
            case null:
                return;
            case [var only]:
                ExceptionDispatchInfo.Throw(only);
                return;
            default:
                throw new AggregateException(
                    $"{failures.Count} resources of scope '{Name}' could not be torn down after its handler had returned.", failures);
        }
    }

    private static string NamesOf(OwnedObject[] resources) => string.Join(", ", resources.Select(resource => resource.Name));

    private void Promote(OwnedObject[] ending, string reason)
    {
        _promoted = true;
        if (Environment.Logger.IsEnabled(LogLevel.Debug))
        {
            var resources = NamesOf(ending);
            ResourceLog.ReleasePromoted(Environment.Logger, resources, Name, reason);
        }
    }

    private InvalidOperationException TooEarly(OwnedObject[] ending, string reason)
    {
        _promoted = true;
        return new InvalidOperationException(
            $"{NamesOf(ending)} cannot be released after the handler of '{Name}': {reason}. If the handler is done with it, let it call " +
            "ReleaseAsync() before it returns. Otherwise release it after the response: register it without ReleaseAfterHandler(), or " +
            "take ReleaseResourcesAfterHandler() off the endpoint. Outside Development it is kept until the response has ended.");
    }
}
