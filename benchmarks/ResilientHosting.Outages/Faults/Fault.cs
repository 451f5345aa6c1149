using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Outages;

/// <summary>What the pools are tested on: a server of our own, reached through a proxy.</summary>
internal sealed record Backend(PostgreSqlServer Server, FaultProxy Proxy);

/// <summary>One way a backend fails. <paramref name="RunAsync"/> begins the fault and returns when it is over.</summary>
internal sealed record Fault(string Name, Func<Backend, Task> RunAsync)
{
    /// <summary>A silent backend is noticed only by time-outs, so a fault of that kind has to last longer.</summary>
    private const double Silent = 1.6;

    /// <param name="duration">How long a fault lasts.</param>
    public static IReadOnlyList<Fault> All(TimeSpan duration) =>
    [
        new("refuse", async backend =>
        {
            await backend.Server.StopAsync();
            await WaitAsync(duration);
            await backend.Server.StartAgainAsync();
        }),
        new("black hole", async backend =>
        {
            backend.Proxy.Swallow();
            await WaitAsync(Silent * duration);
            backend.Proxy.Pass();
        }),
        new("hang", async backend =>
        {
            await backend.Server.FreezeAsync();
            await WaitAsync(Silent * duration);
            await backend.Server.ResumeAsync();
        }),
        new("restart", async backend =>
        {
            await backend.Server.StopAsync();
            await backend.Server.StartAgainAsync();
        }),
        new("flapping", async backend =>
        {
            for (var cycle = 0; cycle < 3; cycle++)
            {
                if (cycle > 0)
                {
                    await WaitAsync(duration / 2);
                }

                await backend.Server.StopAsync();
                await WaitAsync(duration / 2);
                await backend.Server.StartAgainAsync();
            }
        }),
        new("slow create", async backend =>
        {
            backend.Proxy.DialTime = TimeSpan.FromMilliseconds(150);
            backend.Proxy.BreakConnections();
            await WaitAsync(duration);
            backend.Proxy.DialTime = TimeSpan.Zero;
        }),
    ];

    private static Task WaitAsync(TimeSpan time) => Task.Delay(time, TimeProvider.System);
}
