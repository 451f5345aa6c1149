namespace ResilientHosting;

/// <summary>The exception at the host's start lists the errors of several options in one message, so each names its own.</summary>
internal static class OptionErrors
{
    public static void AddError<TOptions>(this ValidateOptionsResultBuilder errors, string error, string property)
        where TOptions : class =>
        errors.AddError(error, $"{typeof(TOptions).Name.Split('`')[0]}.{property}");
}
