namespace ResilientHosting.Resources;

internal sealed class ResourcePoolOptionsValidator<T>(string? pool, PoolConfiguration<T>? configuration = null) : IValidateOptions<ResourcePoolOptions<T>>
    where T : class
{
    private const int LargestSize = 100_000;

    private static readonly TimeSpan Longest = RequestResourceOptionsValidator.Longest;

    public ValidateOptionsResult Validate(string? name, ResourcePoolOptions<T> options)
    {
        if (name != (pool ?? Options.DefaultName))
        {
            return ValidateOptionsResult.Skip;
        }

        var failures = new ValidateOptionsResultBuilder();
        void Check(bool isValid, string property, object? value, string rule)
        {
            if (!isValid)
            {
                var origin = configuration?.FindKey(property) is { } key ? $" (configuration key {key})" : "";
                failures.AddError<ResourcePoolOptions<T>>(
                    $"Pool of {ResourceName.Of<T>(pool)}: must be {rule}, but is {value}{origin}.", property);
            }
        }

        void CheckTime(TimeSpan value, string property, bool allowZero = false) => Check(
            (value > TimeSpan.Zero || (allowZero && value == TimeSpan.Zero)) && value <= Longest,
            property,
            value.ToString("c"),
            $"{(allowZero ? "zero or more" : "more than zero")} and at most {Longest:c}");

        void CheckLife(TimeSpan value, string property) => Check(
            value > TimeSpan.Zero || value == Timeout.InfiniteTimeSpan, property, value.ToString("c"), "more than zero, or infinite (-00:00:00.001)");

        Check(options.MaxSize is > 0 and <= LargestSize, nameof(options.MaxSize), options.MaxSize, $"1 to {LargestSize}");
        Check(
            options.MinIdle >= 0 && options.MinIdle <= options.MaxSize, nameof(options.MinIdle), options.MinIdle,
            $"0 to MaxSize ({options.MaxSize})");
        Check(options.MaxConcurrentCreates > 0, nameof(options.MaxConcurrentCreates), options.MaxConcurrentCreates, "at least 1");
        Check(options.MaxWaiters is null or >= 0, nameof(options.MaxWaiters), options.MaxWaiters, "zero or more, or null for no limit");
        Check(options.LifetimeJitter is >= 0 and <= 0.5, nameof(options.LifetimeJitter), options.LifetimeJitter, "0 to 0.5");
        Check(Enum.IsDefined(options.Order), nameof(options.Order), options.Order, "Lifo or Fifo");
        Check(options.LeakStackSampling is >= 0 and <= 1, nameof(options.LeakStackSampling), options.LeakStackSampling, "0 to 1");
        CheckTime(options.AcquireTimeout, nameof(options.AcquireTimeout));
        CheckTime(options.ValidationTimeout, nameof(options.ValidationTimeout));
        CheckTime(options.ValidationBypass, nameof(options.ValidationBypass), allowZero: true);
        CheckLife(options.MaxLifetime, nameof(options.MaxLifetime));
        CheckLife(options.IdleTimeout, nameof(options.IdleTimeout));
        return failures.Build();
    }
}
