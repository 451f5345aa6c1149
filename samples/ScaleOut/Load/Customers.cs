namespace ScaleOut.Load;

/// <summary>
/// Who does what, and how often. Each customer has a timetable: a request that had to wait for the one before it counts from the moment
/// it was due, so that a pause of the server shows in full.
/// </summary>
internal static class Customers
{
    private static readonly (int Count, TimeSpan Interval, Func<Shop, long, Task> Action)[] Crowd =
    [
        (8, TimeSpan.FromMilliseconds(50), static (shop, due) => shop.ReadAsync(due)),
        (8, TimeSpan.FromMilliseconds(100), static (shop, due) => shop.OrderAsync(due)),
        (8, TimeSpan.FromSeconds(3), static (shop, due) => shop.ReportAsync(due)),
        (4, TimeSpan.FromSeconds(3), static (shop, due) => shop.PayAsync(due)),
        (4, TimeSpan.FromSeconds(3), static (shop, due) => shop.PayTwiceAsync(due)),
    ];

    public static Task RunAsync(Shop shop, TimeProvider clock, CancellationToken stop) => Task.WhenAll(
        from kind in Crowd
        from place in Enumerable.Range(0, kind.Count)
        let first = kind.Interval * place / kind.Count
        select RunAsync(due => kind.Action(shop, due), first, kind.Interval, clock, stop));

    private static async Task RunAsync(
        Func<long, Task> action, TimeSpan first, TimeSpan interval, TimeProvider clock, CancellationToken stop)
    {
        var start = clock.GetTimestamp();

        // Half an interval to one and a half: a crowd is not in step.
        for (var due = first; ; due += interval * (0.5 + Random.Shared.NextDouble()))
        {
            var early = due - clock.GetElapsedTime(start);
            if (early > TimeSpan.Zero)
            {
                await Task.Delay(early, clock, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }

            if (stop.IsCancellationRequested)
            {
                return;
            }

            await action(start + (long)(due.TotalSeconds * clock.TimestampFrequency));
        }
    }
}
