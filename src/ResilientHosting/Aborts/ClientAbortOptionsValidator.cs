namespace ResilientHosting.Aborts;

internal sealed class ClientAbortOptionsValidator : IValidateOptions<ClientAbortOptions>
{
    public ValidateOptionsResult Validate(string? name, ClientAbortOptions options)
    {
        var errors = new ValidateOptionsResultBuilder();
        if (options.SettleTimeout < TimeSpan.Zero || options.SettleTimeout > ClientAbortOptions.LongestSettleTimeout)
        {
            errors.AddError<ClientAbortOptions>(
                $"must be from 0 to {ClientAbortOptions.LongestSettleTimeout}, but is {options.SettleTimeout}.",
                nameof(options.SettleTimeout));
        }

        if (options.MaxSecuredBodySize is < 1 or > ClientAbortOptions.LargestSecuredBody)
        {
            errors.AddError<ClientAbortOptions>(
                $"must be from 1 to {ClientAbortOptions.LargestSecuredBody} bytes, but is {options.MaxSecuredBodySize}.",
                nameof(options.MaxSecuredBodySize));
        }

        CheckOrphans(options.MaxOrphans, nameof(options.MaxOrphans));
        CheckOrphans(options.MaxOrphansPerClient, nameof(options.MaxOrphansPerClient));
        if (options.OrphanHardCap <= TimeSpan.Zero || options.OrphanHardCap > ClientAbortPolicy.LongestGrace)
        {
            errors.AddError<ClientAbortOptions>(
                $"must be above 0 and at most {ClientAbortPolicy.LongestGrace}, but is {options.OrphanHardCap}.",
                nameof(options.OrphanHardCap));
        }

        if (options.DetailSampling is < 0 or > ClientAbortOptions.RarestDetail)
        {
            errors.AddError<ClientAbortOptions>(
                $"must be from 0 to {ClientAbortOptions.RarestDetail}, but is {options.DetailSampling}.", nameof(options.DetailSampling));
        }

        if (options.DefaultPolicy is null)
        {
            errors.AddError<ClientAbortOptions>(
                $"must not be null. Set {nameof(ClientAbortPolicy)}.{nameof(ClientAbortPolicy.Cancel)} for the usual behaviour.",
                nameof(options.DefaultPolicy));
        }

        options.Adoption.Validate(errors);
        return errors.Build();

        void CheckOrphans(int limit, string option)
        {
            if (limit is < 0 or > ClientAbortOptions.MostOrphans)
            {
                errors.AddError<ClientAbortOptions>($"must be from 0 to {ClientAbortOptions.MostOrphans}, but is {limit}.", option);
            }
        }
    }
}
