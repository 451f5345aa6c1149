namespace ResilientHosting.Reloading;

internal sealed class DevReloaderOptionsValidator : IValidateOptions<DevReloaderOptions>
{
    public ValidateOptionsResult Validate(string? name, DevReloaderOptions options)
    {
        var result = new ValidateOptionsResultBuilder();
        if (!Enum.IsDefined(options.Watch))
        {
            result.AddError($"must be Auto, Events or Polling, but is {(int)options.Watch}.", nameof(options.Watch));
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
            result.AddError($"must be at least 1, but is {options.MaxHeldRequests}.", nameof(options.MaxHeldRequests));
        }

        if (options.TriggerFile is { } trigger && string.IsNullOrEmpty(Path.GetFileName(trigger)))
        {
            result.AddError($"must be the path of a file, but is \"{trigger}\".", nameof(options.TriggerFile));
        }

        return result.Build();

        void Check(TimeSpan value, TimeSpan min, TimeSpan max, string property)
        {
            if (value < min || value > max)
            {
                result.AddError($"must be from {min:c} to {max:c}, but is {value:c}.", property);
            }
        }
    }
}
