using System.Globalization;

namespace ResilientHosting.Resources;

/// <summary>A setting of a pool that configuration may change.</summary>
/// <param name="Name">The name of the property and of its configuration key.</param>
/// <param name="Expected">What a value looks like.</param>
/// <param name="TrySet">Sets it from a value; false if that is not what it should be. Ranges are the validator's business.</param>
/// <param name="Get">Reads it.</param>
internal sealed record PoolSetting<T>(
    string Name, string Expected, Func<ResourcePoolOptions<T>, string?, bool> TrySet, Func<ResourcePoolOptions<T>, object?> Get)
    where T : class
{
    private const string Count = "a whole number";
    private const string Part = "a number such as 0.1";
    private const string Time = "a time such as 00:00:30";
    private const string Life = "a time such as 00:30:00, or Infinite";

    private delegate bool Parser<TValue>(string? text, out TValue value);

    public static IReadOnlyList<PoolSetting<T>> All { get; } =
    [
        Of(nameof(ResourcePoolOptions<>.MaxSize), Count, TryParse, pool => pool.MaxSize, (pool, value) => pool.MaxSize = value),
        Of(nameof(ResourcePoolOptions<>.MinIdle), Count, TryParse, pool => pool.MinIdle, (pool, value) => pool.MinIdle = value),
        Of(
            nameof(ResourcePoolOptions<>.MaxConcurrentCreates), Count, TryParse,
            pool => pool.MaxConcurrentCreates, (pool, value) => pool.MaxConcurrentCreates = value),
        Of(
            nameof(ResourcePoolOptions<>.AcquireTimeout), Time, TryParse,
            pool => pool.AcquireTimeout, (pool, value) => pool.AcquireTimeout = value),
        Of<int?>(
            nameof(ResourcePoolOptions<>.MaxWaiters), "a whole number, or null for no limit", TryParse,
            pool => pool.MaxWaiters, (pool, value) => pool.MaxWaiters = value),
        Of(
            nameof(ResourcePoolOptions<>.MaxLifetime), Life, TryParseLife,
            pool => pool.MaxLifetime, (pool, value) => pool.MaxLifetime = value),
        Of(
            nameof(ResourcePoolOptions<>.LifetimeJitter), Part, TryParse,
            pool => pool.LifetimeJitter, (pool, value) => pool.LifetimeJitter = value),
        Of(
            nameof(ResourcePoolOptions<>.IdleTimeout), Life, TryParseLife,
            pool => pool.IdleTimeout, (pool, value) => pool.IdleTimeout = value),
        Of(
            nameof(ResourcePoolOptions<>.ValidationBypass), Time, TryParse,
            pool => pool.ValidationBypass, (pool, value) => pool.ValidationBypass = value),
        Of(
            nameof(ResourcePoolOptions<>.ValidationTimeout), Time, TryParse,
            pool => pool.ValidationTimeout, (pool, value) => pool.ValidationTimeout = value),
        Of(nameof(ResourcePoolOptions<>.Order), "Lifo or Fifo", TryParse, pool => pool.Order, (pool, value) => pool.Order = value),
        Of(
            nameof(ResourcePoolOptions<>.LeakStackSampling), Part, TryParse,
            pool => pool.LeakStackSampling, (pool, value) => pool.LeakStackSampling = value),
    ];

    private static PoolSetting<T> Of<TValue>(
        string name,
        string expected,
        Parser<TValue> parse,
        Func<ResourcePoolOptions<T>, TValue> get,
        Action<ResourcePoolOptions<T>, TValue> set) => new(
        name,
        expected,
        (options, text) =>
        {
            var isValid = parse(text, out var value);
            if (isValid)
            {
                set(options, value);
            }

            return isValid;
        },
        options => get(options));

    private static bool TryParse(string? text, out int value) =>
        int.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out value);

    private static bool TryParse(string? text, out int? value)
    {
        var isNumber = TryParse(text, out int number);
        value = isNumber ? number : null;
        return isNumber || string.IsNullOrEmpty(text);
    }

    private static bool TryParse(string? text, out double value) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value);

    private static bool TryParse(string? text, out ResourcePoolOrder value) => Enum.TryParse(text, ignoreCase: true, out value);

    /// <summary>A bare number would be taken for days, and nobody who writes "30" means that.</summary>
    private static bool TryParse(string? text, out TimeSpan value)
    {
        value = default;
        return text?.Contains(':', StringComparison.Ordinal) == true && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out value);
    }

    private static bool TryParseLife(string? text, out TimeSpan value)
    {
        value = Timeout.InfiniteTimeSpan;
        return string.Equals(text, nameof(Timeout.Infinite), StringComparison.OrdinalIgnoreCase) || TryParse(text, out value);
    }
}
