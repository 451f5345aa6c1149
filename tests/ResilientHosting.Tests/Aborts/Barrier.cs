using Microsoft.AspNetCore.Builder;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Aborts;

/// <summary>A gate that is opened once and then lets everybody through.</summary>
public sealed class Barrier
{
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Open() => _opened.TrySetResult();

    // Observed: a request that is cut no longer waits for it, and other tests look for exceptions that nobody has observed.
    public Task PassedAsync() => _opened.Task.WaitAsync(LeavingClient.Timeout).Observed();
}

public static class BarrierExtensions
{
    /// <summary>Opens the barrier when a request to the path has left everything inside this middleware.</summary>
    public static void UseEndBarrier(this IApplicationBuilder app, string path, Barrier ended) => app.Use(next => async context =>
    {
        try
        {
            await next(context);
        }
        finally
        {
            if (context.Request.Path == path)
            {
                ended.Open();
            }
        }
    });
}
