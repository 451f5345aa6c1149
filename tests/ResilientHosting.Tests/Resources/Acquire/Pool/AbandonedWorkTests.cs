using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using ResilientHosting.Tests.Aborts;

namespace ResilientHosting.Tests.Resources.Acquire;

/// <summary>What the pool has given up fails where nobody waits any more. The test looks at the whole process, so it runs alone.</summary>
[Collection(nameof(StormAftermath))]
public sealed class AbandonedWorkTests : IDisposable
{
    private readonly ConcurrentBag<Exception> _forgotten = [];

    public void Dispose() => TaskScheduler.UnobservedTaskException -= Note;

    [Fact]
    public async Task Reset_FailsAfterItWasGivenUp_IsNotAForgottenFailure()
    {
        Collect();
        TaskScheduler.UnobservedTaskException += Note;
        await FailLateAsync();
        Collect();

        Assert.DoesNotContain(_forgotten, forgotten => forgotten.GetBaseException() is LateException);
    }

    // Not inlined: its locals would keep alive what is to be collected.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static async Task FailLateAsync()
    {
        var late = new TaskCompletionSource<bool>();
        await using var fixture = new PoolFixture(pool => pool.Reset = (_, _) => new ValueTask<bool>(late.Task));
        fixture.Logs.Expect("TeardownFailed");
        var scope = fixture.OpenScope();
        await PoolFixture.TakeAsync(scope);

        var end = scope.DisposeAsync().AsTask();
        await fixture.UntilAsync(_ =>
        {
            fixture.Time.Advance(TimeSpan.FromSeconds(1));
            return end.IsCompleted;
        });
        late.SetException(new LateException());
    }

    private static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
    }

    private void Note(object? sender, UnobservedTaskExceptionEventArgs unobserved) => _forgotten.Add(unobserved.Exception);

    private sealed class LateException() : Exception("too late");
}
