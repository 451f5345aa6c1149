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

    private static readonly int[] BodySizes = [20, 2_000, 40_000];

    private readonly ConcurrentQueue<(string Id, long Length)> _runs = new();

    [Theory]
    [InlineData(Protocol.Http1, false)]
    [InlineData(Protocol.Http1, true)]
    [InlineData(Protocol.Http1OverTls, false)]
    [InlineData(Protocol.Http1OverTls, true)]
    public async Task CompletePost_ClosedAtOnce_RunsExactlyOnce(Protocol protocol, bool chunked)
    {
        var testApp = new AbortTestApp();
        await using var host = await testApp.StartAsync(Pipeline.InsideExceptionHandler, "Production", protocol, app =>
            app.MapPost("/pay", async (HttpContext context, CancellationToken work) =>
            {
                var body = new MemoryStream();
                await context.Request.Body.CopyToAsync(body, work);
                _runs.Enqueue((RequestGates.IdOf(context), body.Length));
            }).RunToCompletionOnClientAbort());

        await Parallel.ForAsync(0, Posts, new ParallelOptions { MaxDegreeOfParallelism = Concurrency }, async (number, _) =>
        {
            await using var client = await RawHttpClient.ConnectAsync(host.Address);
            await client.SendAsync(Post(number, chunked));
            await client.LeaveAsync(Departure.Fin);
            await testApp.Gates.EndedAsync($"{number}");
        });
        await host.StopAsync();

        Assert.Equal(Posts, _runs.Count);
        Assert.Equal(
            Enumerable.Range(0, Posts).Select(number => ($"{number}", (long)SizeOf(number))).OrderBy(run => run.Item1, StringComparer.Ordinal),
            _runs.OrderBy(run => run.Id, StringComparer.Ordinal));
    }

    private static int SizeOf(int number) => BodySizes[number % BodySizes.Length];

    private static string Post(int number, bool chunked)
    {
        var body = new string('x', SizeOf(number));
        var (header, content) = chunked
            ? ("Transfer-Encoding: chunked", string.Create(CultureInfo.InvariantCulture, $"{body.Length:x}\r\n{body}\r\n0\r\n\r\n"))
            : (string.Create(CultureInfo.InvariantCulture, $"Content-Length: {body.Length}"), body);
        return $"POST /pay?id={number} HTTP/1.1\r\nHost: localhost\r\n{header}\r\n\r\n{content}";
    }
}
