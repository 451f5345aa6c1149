using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Aborts.Policy;

/// <summary>Clients that send all of a request and close at once, as devices and beacons do. Each request runs, and runs once.</summary>
public sealed class CompletePostTests
{
    private const int Posts = 600;
    private const int Concurrency = 16;

    private readonly ConcurrentQueue<(string Id, long Length)> _runs = new();

    [Theory]
    [InlineData(Protocol.Http1, false, false)]
    [InlineData(Protocol.Http1, false, true)]
    [InlineData(Protocol.Http1, true, false)]
    [InlineData(Protocol.Http1, true, true)]
    [InlineData(Protocol.Http1OverTls, false, false)]
    [InlineData(Protocol.Http1OverTls, false, true)]
    [InlineData(Protocol.Http1OverTls, true, false)]
    [InlineData(Protocol.Http1OverTls, true, true)]
    public async Task CompletePost_ClosedAtOnce_RunsExactlyOnce(Protocol protocol, bool chunked, bool readAfterClose)
    {
        var closed = Enumerable.Range(0, Posts).Select(_ => new Barrier()).ToArray();
        var testApp = new AbortTestApp();
        await using var host = await testApp.StartAsync(Pipeline.InsideExceptionHandler, "Production", protocol, app =>
            app.MapPost("/pay", async (HttpContext context, CancellationToken work) =>
            {
                var id = RequestGates.IdOf(context);
                if (readAfterClose)
                {
                    await closed[int.Parse(id, CultureInfo.InvariantCulture)].PassedAsync();
                }

                var body = new MemoryStream();
                await context.Request.Body.CopyToAsync(body, work);
                _runs.Enqueue((id, body.Length));
            }).RunToCompletionOnClientAbort());

        await Parallel.ForAsync(0, Posts, new ParallelOptions { MaxDegreeOfParallelism = Concurrency }, async (number, _) =>
        {
            await using var client = await RawHttpClient.ConnectAsync(host.Address);
            await client.SendAsync(CompletePost.ToText("/pay", number, chunked));
            await client.LeaveAsync(Departure.Fin);
            closed[number].Open();
            await testApp.Gates.EndedAsync($"{number}");
        });
        await host.StopAsync();

        Assert.Equal(Posts, _runs.Count);
        Assert.Equal(
            Enumerable.Range(0, Posts).Select(number => ($"{number}", (long)CompletePost.SizeOf(number))).OrderBy(run => run.Item1, StringComparer.Ordinal),
            _runs.OrderBy(run => run.Id, StringComparer.Ordinal));
    }
}
