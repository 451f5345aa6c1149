using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Aborts;

/// <summary>What is left when a storm is over: nothing. The tests look at the whole process, so they run alone.</summary>
[CollectionDefinition(nameof(StormAftermath), DisableParallelization = true)]
public sealed class StormAftermath;

[Collection(nameof(StormAftermath))]
public sealed class StormAftermathTests(ITestOutputHelper output) : IDisposable
{
    private const int Aborts = 2_000;
    private const int Concurrency = 16;

    // Of these an abort must not leave one behind; a little is the runtime's own coming and going.
    private const int MoreHandles = 10;
    private const int MoreTimers = 2;
    private const int BytesAnAbort = 500;

    private readonly AbortTestApp _app = new();
    private readonly ConnectionCount _connections = new();
    private readonly ConcurrentBag<AggregateException> _unobserved = [];

    public void Dispose() => TaskScheduler.UnobservedTaskException -= NoteUnobserved;

    [Theory]
    [InlineData(Protocol.Http1, Departure.Fin)]
    [InlineData(Protocol.Http1, Departure.Rst)]
    [InlineData(Protocol.Http2, Departure.StreamReset)]
    public async Task Storm_WhenItIsOver_EverythingIsBackToTheBaseLine(Protocol protocol, Departure departure)
    {
        // What other tests have left behind comes up now, before anybody counts.
        Take();
        TaskScheduler.UnobservedTaskException += NoteUnobserved;
        await using var host = await _app.StartAsync(Pipeline.InsideExceptionHandler, "Production", protocol, configure: builder =>
        {
            // Lines that are kept would count as memory.
            builder.Logging.SetMinimumLevel(LogLevel.Warning).AddFilter("ResilientHosting", LogLevel.Warning);
            builder.WebHost.ConfigureKestrel(kestrel => kestrel.ConfigureEndpointDefaults(listen =>
            {
                listen.Protocols = protocol.ServerProtocols;
                _connections.Count(listen);
            }));
        });

        // As large as the storm itself: pools, caches and the thread pool have their size afterwards.
        await StormAsync(host, protocol, departure, "first");
        var before = Take();
        await StormAsync(host, protocol, departure, "second");
        var after = Take();

        output.WriteLine($"before: {before}");
        output.WriteLine($"after:  {after}");
        Assert.InRange(after.Timers, 0, before.Timers + MoreTimers);
        Assert.InRange(after.Handles, 0, before.Handles + MoreHandles);
        Assert.InRange(after.Memory, 0, before.Memory + (Aborts * BytesAnAbort));
        Assert.Empty(_unobserved);
    }

    private async Task StormAsync(KestrelTestHost host, Protocol protocol, Departure departure, string name)
    {
        await Parallel.ForAsync(0, Aborts, new ParallelOptions { MaxDegreeOfParallelism = Concurrency }, async (number, _) =>
        {
            var id = $"{name}-{number}";
            await using var client = await LeavingClient.ConnectAsync(host.Address, protocol);
            var path = AbortPath.Common[number % AbortPath.Common.Length];
            await path.SendAsync(client, id);
            await _app.Gates.ArrivedAsync(id);
            await client.LeaveAsync(departure);
            await _app.Gates.EndedAsync(id);
        });
        await _connections.NoneLeftAsync();

        Assert.Equal(
            Enumerable.Repeat("created 1, torn down: Aborted", Aborts),
            Enumerable.Range(0, Aborts).Select(number => _app.Resources.StoryOf($"{name}-{number}")));
        _app.Gates.Forget();
        _app.Resources.Forget();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Snapshot Take()
    {
        // What nobody awaits shows up when it is finalized.
        GC.GetTotalMemory(forceFullCollection: true);
        GC.WaitForPendingFinalizers();
        using var process = Process.GetCurrentProcess();
        GC.GetTotalMemory(forceFullCollection: true);
        var heap = GC.GetGCMemoryInfo(GCKind.FullBlocking);
        return new Snapshot(Timer.ActiveCount, process.HandleCount, heap.HeapSizeBytes - heap.FragmentedBytes);
    }

    private void NoteUnobserved(object? sender, UnobservedTaskExceptionEventArgs unobserved) => _unobserved.Add(unobserved.Exception);

    private sealed record Snapshot(long Timers, int Handles, long Memory);
}
