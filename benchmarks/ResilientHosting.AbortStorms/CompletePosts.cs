using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using ResilientHosting.Benchmarks.Reporting;
using ResilientHosting.Tests.Aborts;
using ResilientHosting.Tests.Infrastructure;
using Barrier = ResilientHosting.Tests.Aborts.Barrier;

namespace ResilientHosting.AbortStorms;

/// <summary>Clients send all of a request and close at once: how many requests run, and how many of them once?</summary>
internal sealed record CompletePosts(int Posts)
{
    private const int Concurrency = 16;

    private static readonly TimeSpan StragglerTime = TimeSpan.FromSeconds(5);

    public async Task RunAsync(Recorder recorder)
    {
        foreach (var protocol in (Protocol[])[Protocol.Http1, Protocol.Http1OverTls])
        {
            foreach (var chunked in (bool[])[false, true])
            {
                foreach (var late in (bool[])[false, true])
                {
                    foreach (var contestant in (Contestant[])[Contestant.PlainWithHandler, Contestant.OursWithHandler])
                    {
                        var runs = await RunAsync(contestant, protocol, chunked, late);
                        recorder.Add(
                            [
                                ("body", chunked ? "chunked" : "Content-Length"),
                                ("the handler reads", late ? "after the close" : "at once"),
                                ("protocol", $"{protocol}"), ("application", contestant.Name),
                            ],
                            [
                                ("posts", Posts), ("ran once", runs.Count(count => count == 1)),
                                ("ran more than once", runs.Count(count => count > 1)),
                            ]);
                    }
                }
            }
        }
    }

    private async Task<ICollection<int>> RunAsync(Contestant contestant, Protocol protocol, bool chunked, bool late)
    {
        var closed = Enumerable.Range(0, Posts).Select(_ => new Barrier()).ToArray();
        var runs = new ConcurrentDictionary<string, int>();
        await using (var server = await Server.StartAsync(contestant, protocol, app =>
            app.MapPost("/pay", async (HttpContext context) =>
            {
                var id = RequestGates.IdOf(context);
                if (late)
                {
                    await closed[int.Parse(id, CultureInfo.InvariantCulture)].PassedAsync();
                }

                // Without a token: that is how a plain application says that it wants to complete.
                await context.Request.Body.CopyToAsync(Stream.Null);
                runs.AddOrUpdate(id, 1, (_, count) => count + 1);
            }).RunToCompletionOnClientAbort()))
        {
            await Parallel.ForAsync(0, Posts, new ParallelOptions { MaxDegreeOfParallelism = Concurrency }, async (number, _) =>
            {
                await using var client = await RawHttpClient.ConnectAsync(server.Address);
                await client.SendAsync(CompletePost.ToText("/pay", number, chunked));
                await client.LeaveAsync(Departure.Fin);
                closed[number].Open();
            });

            // A request that the server has dropped before the application never ends there.
            var all = Task.WhenAll(Enumerable.Range(0, Posts).Select(number => server.Gates.EndedAsync($"{number}")));
            await Task.WhenAny(all, Task.Delay(StragglerTime, TimeProvider.System));
        }

        return runs.Values;
    }
}
