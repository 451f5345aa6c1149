using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Resources;

/// <summary>Waits of tests end: with the test, or after the limit of all test hosts.</summary>
internal static class BoundedWait
{
    public static Task Bounded(this Task task) => task.WaitAsync(KestrelTestHost.Timeout, TestContext.Current.CancellationToken);

    public static Task<T> Bounded<T>(this Task<T> task) => task.WaitAsync(KestrelTestHost.Timeout, TestContext.Current.CancellationToken);

    public static Task Bounded(this ValueTask task) => task.AsTask().Bounded();

    public static Task<T> Bounded<T>(this ValueTask<T> task) => task.AsTask().Bounded();
}
