namespace ResilientHosting.Resources;

/// <content>
/// The end of a request that goes on in the host's lane. From the first object that allows it, all older ones follow behind it, so that
/// the order stays. The request is over by then: its context serves another one and its services are disposed of.
/// </content>
internal sealed partial class ResourceStack
{
    private bool _mayDetach;
    private volatile bool _detached;

    /// <summary>The scope that this one stands in for: its own services are gone while the last of its objects are torn down.</summary>
    private ResourceStack? _origin;

    /// <summary>Opens the scope whose services the detached teardowns of another are given.</summary>
    public void OpenForTeardown(ResourceStack origin)
    {
        _name = origin.Name;
        _origin = origin;
        _opened = true;
    }

    /// <summary>Moves what is left to the lane, if the next object allows it and there is room.</summary>
    private bool TryDetach(Teardown teardown)
    {
        // A host that stops waits for the teardown in any case.
        if (!_mayDetach || HttpContext is null || Environment.IsHostStopping || _outcome!.Kind == ScopeOutcomeKind.HostStopping)
        {
            return false;
        }

        lock (Gate)
        {
            if (_resources.Newest is not { DetachesTeardown: true } || !Environment.Lane.TryRun(Finish(teardown)))
            {
                return false;
            }

            HttpContext = null;
            _detached = true;
            return true;
        }
    }

    // A method of its own, so that only a request that detaches pays for the closure.
    private Func<Task> Finish(Teardown teardown) => () => FinishAsync(teardown);

    private async Task FinishAsync(Teardown teardown)
    {
        try
        {
            var services = Environment.CreateServices();
            await using (services.ConfigureAwait(false))
            {
                services.ServiceProvider.GetRequiredService<ResourceStack>().OpenForTeardown(this);
                teardown.Continue(services.ServiceProvider);
                while (TryPop() is { } newest)
                {
                    await teardown.RunAsync(newest).ConfigureAwait(false);
                }
            }

            teardown.Report();
        }
        finally
        {
            End();
        }
    }
}
