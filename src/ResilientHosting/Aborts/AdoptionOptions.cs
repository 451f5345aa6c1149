namespace ResilientHosting.Aborts;

/// <summary>Options of endpoints whose running work a resent request adopts (<see cref="AdoptOnResendAttribute"/>).</summary>
public sealed class AdoptionOptions
{
    internal static readonly TimeSpan LongestRetention = TimeSpan.FromDays(1);
    internal static readonly TimeSpan ShortestLease = TimeSpan.FromSeconds(1);
    internal static readonly TimeSpan LongestLease = TimeSpan.FromMinutes(10);
    internal static readonly TimeSpan LongestCacheTimeout = TimeSpan.FromSeconds(30);

    internal const int LargestResult = 1 << 28;

    internal AdoptionOptions()
    {
    }

    /// <summary>The request header that carries the key, as a bare token or as a quoted string.</summary>
    /// <value><c>Idempotency-Key</c> by default; a valid header name.</value>
    public string HeaderName { get; set; } = "Idempotency-Key";

    /// <summary>How long a result that nobody has received is kept for the client to come back.</summary>
    /// <value>1 minute by default; above zero, at most one day.</value>
    public TimeSpan ResultRetention { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// The largest response body that is kept. A request that waits for a larger one is told with 409 that the work was done.
    /// While work with a key runs, up to this much of its response is held in memory.
    /// </summary>
    /// <value>In bytes; 1 MiB by default; from 1 to 256 MiB.</value>
    public int MaxResultSize { get; set; } = 1024 * 1024;

    /// <summary>The size of all results together that are kept in this process. The oldest are dropped first.</summary>
    /// <value>In bytes; 64 MiB by default; at least <see cref="MaxResultSize"/>.</value>
    public long MaxRetainedSize { get; set; } = 64L * 1024 * 1024;

    /// <summary>
    /// Across machines: how long work counts as running after the last sign of life of the process that runs it, which gives one
    /// three times in this time. Work of a process that died is taken over that much later.
    /// </summary>
    /// <value>10 seconds by default; from 1 second to 10 minutes.</value>
    public TimeSpan LeaseDuration { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Across machines: how long an operation of the distributed cache may take. A cache that fails or is slower is left alone for
    /// one <see cref="LeaseDuration"/>; until then requests adopt only what runs in this process.
    /// </summary>
    /// <value>2 seconds by default; above zero, at most 30 seconds.</value>
    public TimeSpan CacheTimeout { get; set; } = TimeSpan.FromSeconds(2);

    internal void Validate(ValidateOptionsResultBuilder errors)
    {
        if (!IsHeaderName(HeaderName))
        {
            errors.AddError<ClientAbortOptions>($"must be the name of a header, but is \"{HeaderName}\".", Path(nameof(HeaderName)));
        }

        CheckTime(errors, nameof(ResultRetention), ResultRetention, TimeSpan.FromTicks(1), LongestRetention);
        CheckTime(errors, nameof(LeaseDuration), LeaseDuration, ShortestLease, LongestLease);
        CheckTime(errors, nameof(CacheTimeout), CacheTimeout, TimeSpan.FromTicks(1), LongestCacheTimeout);
        if (MaxResultSize is < 1 or > LargestResult)
        {
            errors.AddError<ClientAbortOptions>($"must be from 1 to {LargestResult} bytes, but is {MaxResultSize}.", Path(nameof(MaxResultSize)));
        }

        if (MaxRetainedSize < MaxResultSize)
        {
            errors.AddError<ClientAbortOptions>(
                $"must be at least {nameof(MaxResultSize)}, {MaxResultSize} bytes, but is {MaxRetainedSize}.",
                Path(nameof(MaxRetainedSize)));
        }
    }

    private static void CheckTime(ValidateOptionsResultBuilder errors, string name, TimeSpan value, TimeSpan least, TimeSpan most)
    {
        if (value < least || value > most)
        {
            var from = least.Ticks == 1 ? "above 0 and at most" : $"from {least} to";
            errors.AddError<ClientAbortOptions>($"must be {from} {most}, but is {value}.", Path(name));
        }
    }

    private static bool IsHeaderName(string? name) => !string.IsNullOrEmpty(name)
        && name.All(c => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c, StringComparison.Ordinal));

    private static string Path(string name) => $"{nameof(ClientAbortOptions.Adoption)}.{name}";
}
