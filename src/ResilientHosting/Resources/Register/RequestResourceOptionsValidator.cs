namespace ResilientHosting.Resources;

internal sealed class RequestResourceOptionsValidator : IValidateOptions<RequestResourceOptions>
{
    public static readonly TimeSpan Longest = TimeSpan.FromDays(1);

    public ValidateOptionsResult Validate(string? name, RequestResourceOptions options)
    {
        var failures = new ValidateOptionsResultBuilder();
        CheckRange(failures, nameof(options.CreateTimeout), options.CreateTimeout);
        CheckRange(failures, nameof(options.TeardownTimeout), options.TeardownTimeout);
        CheckRange(failures, nameof(options.ScopeTeardownBudget), options.ScopeTeardownBudget);

        if (options.DrainTimeout < TimeSpan.Zero || options.DrainTimeout > Longest)
        {
            failures.AddError<RequestResourceOptions>(
                $"must be zero or more and at most {Longest:c}, but is {options.DrainTimeout:c}.", nameof(options.DrainTimeout));
        }

        if (options.MaxDetachedTeardowns < 1)
        {
            failures.AddError<RequestResourceOptions>(
                $"must be at least 1, but is {options.MaxDetachedTeardowns}.", nameof(options.MaxDetachedTeardowns));
        }

        if (options.HeldWarningThreshold != Timeout.InfiniteTimeSpan)
        {
            CheckRange(failures, nameof(options.HeldWarningThreshold), options.HeldWarningThreshold);
        }

        if (options.ScopeTeardownBudget < options.TeardownTimeout)
        {
            failures.AddError<RequestResourceOptions>(
                $"must be at least TeardownTimeout ({options.TeardownTimeout:c}), but is {options.ScopeTeardownBudget:c}; " +
                "raise the budget or lower the time-out.",
                nameof(options.ScopeTeardownBudget));
        }

        return failures.Build();
    }

    private static void CheckRange(ValidateOptionsResultBuilder failures, string property, TimeSpan value)
    {
        if (value <= TimeSpan.Zero || value > Longest)
        {
            failures.AddError<RequestResourceOptions>($"must be more than zero and at most {Longest:c}, but is {value:c}.", property);
        }
    }
}
