using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace ResilientHosting.Resources;

/// <summary>
/// Whether a resource can be had. A description names the type of an exception only: messages like to hold connection strings, and health
/// responses like to be public. The exception itself is in the result, for the log.
/// </summary>
internal sealed class ResourceHealthCheck<T>(IServiceProvider services, string? name) : IHealthCheck
    where T : class
{
    /// <summary>Longer than the pauses between the probes of a failing pool.</summary>
    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(5);

    private readonly string _resource = ResourceName.Of<T>(name);

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var pool = PoolSource<T>.Find(services, name);
        if (pool is null)
        {
            var failure = await ProbeAsync(cancellationToken).ConfigureAwait(false);
            return failure is null ? HealthCheckResult.Healthy() : Unhealthy(context, failure, data: null);
        }

        var statistics = pool.Statistics;
        if (statistics.Used >= statistics.Max)
        {
            return statistics.Waiting > 0
                ? HealthCheckResult.Degraded($"All {statistics.Max} are in use, and {statistics.Waiting} wait.", data: Data(statistics))
                : HealthCheckResult.Healthy(data: Data(statistics));
        }

        // A pool that is failing is asked too: without requests, which this very check may keep away, it would not notice its recovery.
        var hasObjects = statistics.Used + statistics.Idle + statistics.Validating > 0;
        return hasObjects && pool.CreationError is null
            ? HealthCheckResult.Healthy(data: Data(statistics))
            : await CheckByProbeAsync(context, pool, cancellationToken).ConfigureAwait(false);
    }

    private async Task<HealthCheckResult> CheckByProbeAsync(
        HealthCheckContext context, ResourcePool<T> pool, CancellationToken cancellationToken)
    {
        var failure = await ProbeAsync(cancellationToken).ConfigureAwait(false);
        var data = Data(pool.Statistics);
        return failure switch
        {
            null when pool.CreationError is { } error => HealthCheckResult.Degraded(
                $"There are objects at hand, but the last creation failed with {error.GetType()}.", error, data),
            null => HealthCheckResult.Healthy(data: data),
            ResourceAcquireTimeoutException { Reason: ResourceAcquireFailure.Exhausted } => HealthCheckResult.Degraded(
                "All objects are in use.", failure, data),
            _ => Unhealthy(context, pool.CreationError ?? failure, data),
        };
    }

    /// <summary>Gets the resource and gives it back. Returns what went wrong.</summary>
    private async Task<Exception?> ProbeAsync(CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(ProbeTimeout, services.GetRequiredService<ResourceEnvironment>().Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            await services.RunInResourceScopeAsync(
                "health check",
                async (scope, token) =>
                {
                    var resource = ResourceResolution.Require<T>(scope.Services, name);
                    await resource.GetAsync(token).ConfigureAwait(false);
                    await resource.ReleaseAsync().ConfigureAwait(false);
                },
                either.Token).ConfigureAwait(false);
            return null;
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return new TimeoutException($"{_resource} could not be had within {ProbeTimeout:c}.");
        }
#pragma warning disable CA1031 // What the resource throws is what the check is about.
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
            return exception;
        }
    }

    private static HealthCheckResult Unhealthy(HealthCheckContext context, Exception failure, IReadOnlyDictionary<string, object>? data) =>
        new(context.Registration.FailureStatus, $"It cannot be had: {failure.GetType()}.", failure, data);

    private static Dictionary<string, object> Data(ResourcePoolStatistics statistics) => new()
    {
        ["total"] = statistics.Total,
        ["used"] = statistics.Used,
        ["idle"] = statistics.Idle,
        ["validating"] = statistics.Validating,
        ["creating"] = statistics.Creating,
        ["waiting"] = statistics.Waiting,
        ["max"] = statistics.Max,
    };
}
