using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Primitives;

namespace ResilientHosting.Resources;

/// <summary>
/// Makes a pool visible when the host starts, before anybody uses it, and lets it follow its configuration until the host stops. It asks
/// for the configuration itself: an options monitor would throw what is wrong with new values at the configuration system, and would
/// forget the old values.
/// </summary>
internal sealed class PoolOperation<T>(IServiceProvider services, string? name) : IHostedService
    where T : class
{
    private readonly Lock _gate = new();
    private ResourcePool<T>? _pool;
    private IDisposable? _subscription;
    private string? _refused;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _pool = PoolSource<T>.Find(services, name);
        if (_pool is not null && services.GetKeyedService<PoolConfiguration<T>>(name) is { } configuration)
        {
            _subscription = ChangeToken.OnChange(configuration.Section.GetReloadToken, Reload);

            // The pool may be older than the subscription.
            Reload();
        }

        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        _subscription?.Dispose();
        return Task.CompletedTask;
    }

    /// <summary>Puts the new values in force. If anything is wrong with them the old ones stay, which is said once.</summary>
    private void Reload()
    {
        lock (_gate)
        {
            var logger = services.GetRequiredService<ResourceEnvironment>().Logger;
            try
            {
                var options = services.GetRequiredService<IOptionsFactory<ResourcePoolOptions<T>>>().Create(name ?? Options.DefaultName);
                Apply(options, logger);
                _refused = null;
            }
#pragma warning disable CA1031 // Whoever reports a change of the configuration must not suffer from what is in it.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                if (exception.Message != _refused)
                {
                    _refused = exception.Message;

                    // The message of a failed validation is all there is to say; anything else is somebody's code that threw.
                    var cause = exception is OptionsValidationException ? null : exception;
                    OperationLog.PoolConfigurationRefused(logger, _pool!.Name, exception.Message, cause);
                }
            }
        }
    }

    private void Apply(ResourcePoolOptions<T> options, ILogger logger)
    {
        var changes = PoolSetting<T>.All
            .Select(setting => (setting.Name, Old: setting.Get(_pool!.Settings), New: setting.Get(options)))
            .Where(setting => !Equals(setting.Old, setting.New))
            .Select(setting => FormattableString.Invariant($"{setting.Name} {setting.Old ?? "null"} → {setting.New ?? "null"}"))
            .ToList();

        // Any change of the configuration is reported here, also one of a section elsewhere.
        if (changes.Count > 0)
        {
            _pool!.Apply(options);
            OperationLog.PoolReconfigured(logger, _pool.Name, changes);
        }
    }
}
