namespace ResilientHosting.Reloading;

internal sealed class DevReloaderOptionsValidator : IValidateOptions<DevReloaderOptions>
{
    public ValidateOptionsResult Validate(string? name, DevReloaderOptions options)
    {
        var result = new ValidateOptionsResultBuilder();
        if (!Enum.IsDefined(options.Watch))
        {
            result.AddError<DevReloaderOptions>($"must be Auto, Events or Polling, but is {(int)options.Watch}.", nameof(options.Watch));
        }

        if (options.PollingInterval is { } interval)
        {
            Check(interval, TimeSpan.FromMilliseconds(50), TimeSpan.FromMinutes(1), nameof(options.PollingInterval));
        }

        Check(options.QuietPeriod, TimeSpan.Zero, TimeSpan.FromSeconds(10), nameof(options.QuietPeriod));
        Check(options.DrainTimeout, TimeSpan.Zero, TimeSpan.FromMinutes(1), nameof(options.DrainTimeout));
        Check(options.HoldTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10), nameof(options.HoldTimeout));
        Check(options.StartTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10), nameof(options.StartTimeout));
        if (options.MaxHeldRequests < 1)
        {
            result.AddError<DevReloaderOptions>($"must be at least 1, but is {options.MaxHeldRequests}.", nameof(options.MaxHeldRequests));
        }

        if (options.TriggerFile is { } trigger && string.IsNullOrEmpty(Path.GetFileName(trigger)))
        {
            result.AddError<DevReloaderOptions>($"must be the path of a file, but is \"{trigger}\".", nameof(options.TriggerFile));
        }

        if (options.EventFile is { } events && string.IsNullOrEmpty(Path.GetFileName(events)))
        {
            result.AddError<DevReloaderOptions>($"must be the path of a file, but is \"{events}\".", nameof(options.EventFile));
        }

        if (options.Editor is { } editor && EditorLinks.WhyInvalid(editor) is { } reason)
        {
            result.AddError<DevReloaderOptions>(reason, nameof(options.Editor));
        }

        foreach (var host in options.AllowedHosts.Where(host => Uri.CheckHostName(host) == UriHostNameType.Unknown))
        {
            result.AddError<DevReloaderOptions>(
                $"must hold host names without scheme and port, but holds \"{host}\".", nameof(options.AllowedHosts));
        }

        return result.Build();

        void Check(TimeSpan value, TimeSpan min, TimeSpan max, string property)
        {
            if (value < min || value > max)
            {
                result.AddError<DevReloaderOptions>($"must be from {min:c} to {max:c}, but is {value:c}.", property);
            }
        }
    }
}
