using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using ResilientHosting.Aborts;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Aborts.Record;

public sealed class DetailSamplingTests
{
    [Theory]
    [InlineData(0, "")]
    [InlineData(1, "1 2 3 4 5 6 7")]
    [InlineData(3, "1 4 7")]
    [InlineData(100, "1")]
    public void Picks_SevenAborts_FirstAndEveryNth(int every, string expected)
    {
        var sampling = new DetailSampling(every);
        var picked = Enumerable.Range(0, 7).Select(_ => sampling.Picks("/a", out var number) ? number : 0).Where(number => number > 0).ToList();

        Assert.Equal(expected, string.Join(' ', picked));
        Assert.Equal(every > 0, sampling.Picks("/b", out _));
    }

    [Fact]
    public void Picks_FromManyThreads_NoNumberTwice()
    {
        var sampling = new DetailSampling(1);
        var numbers = new System.Collections.Concurrent.ConcurrentBag<long>();

        Parallel.For(0, 10_000, _ =>
        {
            if (sampling.Picks("/a", out var number))
            {
                numbers.Add(number);
            }
        });

        Assert.Equal(Enumerable.Range(1, 10_000).Select(number => (long)number), numbers.Order());
    }

    [Fact]
    public async Task Aborts_OfOneRoute_FirstAndEveryNthAreWrittenInFull()
    {
        var host = await RunAsync(2, "/upload/{0}?secret=1", "/upload/{0}?secret=2", "/upload/{0}?secret=3");

        var lines = host.Logs.Lines.Where(line => line.Event.Name == "ClientAbortSampled").ToList();
        Assert.Equal(["Abort 1", "Abort 3"], lines.Select(line => line.Message[..7]));
        Assert.All(lines, line =>
        {
            Assert.Equal((2010, LogLevel.Information), (line.Event.Id, line.Level));
            Assert.Contains(
                " of route /upload/{id} since the start, as a sample (one in 2): POST over HTTP/1.1, in phase RequestBody, by Client; "
                + "its handler Cancelled ",
                line.Message,
                StringComparison.Ordinal);
            Assert.Contains("under policy Cancel. Exception: BadHttpRequestException. Body bytes read: 4. Trace ", line.Message, StringComparison.Ordinal);
            Assert.IsAssignableFrom<BadHttpRequestException>(line.Exception);
            Assert.DoesNotContain("secret", line.ToString(), StringComparison.Ordinal);
            Assert.DoesNotContain("127.0.0.1", line.ToString(), StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task Aborts_SamplingIsOff_OnlyTheUsualLineIsWritten()
    {
        var host = await RunAsync(0, "/upload/{0}");

        Assert.DoesNotContain(host.Logs.Lines, line => line.Event.Name == "ClientAbortSampled");
        host.Logs.Only("ClientAborted");
    }

    private static async Task<KestrelTestHost> RunAsync(int sampling, params string[] paths)
    {
        Barrier started = new(), ended = new();
        await using var host = await KestrelTestHost.StartAsync(app =>
        {
            app.Use(next => async context =>
            {
                try
                {
                    await next(context);
                }
                finally
                {
                    ended.Open();
                }
            });
            app.UseClientAbortTolerance(options => options.DetailSampling = sampling);
            app.MapPost("/upload/{id}", async (HttpContext context) =>
            {
                await context.Request.Body.ReadExactlyAsync(new byte[4]);
                var rest = context.Request.Body.CopyToAsync(Stream.Null);
                started.Open();
                await rest;
            });
        });
        foreach (var path in paths)
        {
            (started, ended) = (new(), new());
            await using var client = await RawHttpClient.ConnectAsync(host.Address);
            await client.SendPostAsync(string.Format(System.Globalization.CultureInfo.InvariantCulture, path, 7), 100, "half");
            await started.PassedAsync();
            client.Leave(Departure.Fin);
            await ended.PassedAsync();
        }

        await host.StopAsync();
        return host;
    }
}
