namespace ResilientHosting.Aborts;

internal sealed class ClientAbortOptionsValidator : IValidateOptions<ClientAbortOptions>
{
    public ValidateOptionsResult Validate(string? name, ClientAbortOptions options)
    {
        var errors = new ValidateOptionsResultBuilder();
        if (options.SettleTimeout < TimeSpan.Zero || options.SettleTimeout > ClientAbortOptions.LongestSettleTimeout)
        {
            errors.AddError(
                $"must be from 0 to {ClientAbortOptions.LongestSettleTimeout}, but is {options.SettleTimeout}.",
                nameof(options.SettleTimeout));
        }

        if (options.MaxSecuredBodySize is < 1 or > ClientAbortOptions.LargestSecuredBody)
        {
            errors.AddError(
                $"must be from 1 to {ClientAbortOptions.LargestSecuredBody} bytes, but is {options.MaxSecuredBodySize}.",
                nameof(options.MaxSecuredBodySize));
        }

        if (options.DefaultPolicy is null)
        {
            errors.AddError(
                $"must not be null. Set {nameof(ClientAbortPolicy)}.{nameof(ClientAbortPolicy.Cancel)} for the usual behaviour.",
                nameof(options.DefaultPolicy));
        }

        options.Adoption.Validate(errors);
        return errors.Build();
    }
}
