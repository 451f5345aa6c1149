using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Aborts;

/// <summary>A gate that is opened once and then lets everybody through.</summary>
public sealed class Barrier
{
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Open() => _opened.TrySetResult();

    public Task PassedAsync() => _opened.Task.WaitAsync(KestrelTestHost.Timeout);
}
