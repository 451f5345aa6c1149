namespace ResilientHosting.Resources;

/// <summary>Checks a resource's own time-out against the budget of the scopes it has to fit in.</summary>
internal sealed class TeardownTimeoutValidator(string resource, Func<TimeSpan> timeout) : IValidateOptions<RequestResourceOptions>
{
    public ValidateOptionsResult Validate(string? name, RequestResourceOptions options) => timeout() <= options.ScopeTeardownBudget
        ? ValidateOptionsResult.Success
        : ValidateOptionsResult.Fail(
            $"Property {nameof(RequestResourceOptions)}.{nameof(options.ScopeTeardownBudget)}: must be at least the time-out given to " +
            $"{resource} with WithTeardownTimeout ({timeout():c}), but is {options.ScopeTeardownBudget:c}; raise the budget or lower the time-out.");
}
