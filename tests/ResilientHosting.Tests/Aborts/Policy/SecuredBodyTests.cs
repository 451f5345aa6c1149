using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Aborts.Policy;

public sealed class SecuredBodyTests
{
    private const int Limit = 100_000;

    private int _runs;

    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    [InlineData(Limit)]
    public async Task Secure_BodyWithinTheLimit_HandlerReadsAllOfIt(int size)
    {
        await using var host = await StartAsync();

        var answer = await host.Client.PostAsync("/", new ByteArrayContent(new byte[size]), TestContext.Current.CancellationToken);

        Assert.Equal($"{size}", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task Secure_BodyAboveTheLimit_Answers413AndDoesNotRun(bool chunked, bool problemDetails)
    {
        await using var host = await StartAsync(problemDetails);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/") { Content = new ByteArrayContent(new byte[Limit + 1]) };
        request.Headers.TransferEncodingChunked = chunked;

        var answer = await host.Client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Contains("100000 bytes", text, StringComparison.Ordinal);
        Assert.Equal(0, _runs);
        host.Logs.Only("SecuredBodyTooLarge");
    }

    [Theory]
    [InlineData(Departure.Fin)]
    [InlineData(Departure.Rst)]
    public async Task Secure_ClientLeavesInTheMiddle_DoesNotRun(Departure departure)
    {
        var arrived = new Barrier();
        var ended = new Barrier();
        await using var host = await StartAsync(arrived: arrived, ended: ended);
        await using (var client = await RawHttpClient.ConnectAsync(host.Address))
        {
            await client.SendPostAsync("/", 1000, "half");
            await arrived.PassedAsync();
            client.Leave(departure);
            await ended.PassedAsync();
        }

        await host.StopAsync();

        Assert.Equal(0, _runs);
        Assert.Equal([499], AccessRecord.Statuses(host.Logs, "/"));
    }

    private Task<KestrelTestHost> StartAsync(bool problemDetails = false, Barrier? arrived = null, Barrier? ended = null) => KestrelTestHost.StartAsync(
        app =>
        {
            app.UseEndBarrier("/", ended ?? new Barrier());
            app.Use(next => context =>
            {
                arrived?.Open();
                return next(context);
            });
            app.UseClientAbortTolerance(options => options.MaxSecuredBodySize = Limit);
            app.MapPost("/", async (HttpContext context) =>
            {
                _runs++;
                var copy = new MemoryStream();
                await context.Request.Body.CopyToAsync(copy);
                return copy.Length;
            }).RunToCompletionOnClientAbort();
        },
        builder =>
        {
            if (problemDetails)
            {
                builder.Services.AddProblemDetails();
            }
        });
}
