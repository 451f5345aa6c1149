using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ResilientHosting.Aborts;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Aborts.Record;

public sealed class AbortRecordTests
{
    [Fact]
    public async Task Abort_OfARequest_IsCountedTaggedAndLeavesTheTraceUnset()
    {
        var started = new Barrier();
        var ended = new Barrier();
        Activity? activity = null;
        using var source = new ActivityListener
        {
            ShouldListenTo = candidate => candidate.Name == "Microsoft.AspNetCore",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
        };
        ActivitySource.AddActivityListener(source);
        await using var host = await KestrelTestHost.StartAsync(app =>
        {
            app.UseEndBarrier("/notes/7", ended);
            app.UseClientAbortTolerance();
            app.MapGet("/notes/{id}", async (HttpContext context, CancellationToken aborted) =>
            {
                activity = context.Features.GetRequiredFeature<IHttpActivityFeature>().Activity;
                started.Open();
                await AbortTestApp.UntilAsync(aborted);
            });
            app.MapGet("/health", () => "healthy");
        });
        using var metrics = new Measurements(host.App);
        await host.Client.GetStringAsync("/health", TestContext.Current.CancellationToken);
        await using (var client = await RawHttpClient.ConnectAsync(host.Address))
        {
            await client.SendGetAsync("/notes/7");
            await started.PassedAsync();
            client.Leave(Departure.Rst);
            await ended.PassedAsync();
        }

        await host.StopAsync();

        Assert.Equal(
            new Dictionary<string, object?>
            {
                ["cause"] = "client",
                ["phase"] = "compute",
                ["policy"] = "cancel",
                ["outcome"] = "cancelled",
                ["network.protocol.version"] = "1.1",
                ["http.route"] = "/notes/{id}",
            },
            Assert.Single(metrics.Of("resilient_hosting.client_aborts")));
        var durations = metrics.Of("http.server.request.duration").ToDictionary(tags => (string)tags["http.route"]!);
        Assert.Equal(true, durations["/notes/{id}"]["client.aborted"]);
        Assert.Equal(499, durations["/notes/{id}"]["http.response.status_code"]);
        Assert.False(durations["/notes/{id}"].ContainsKey("error.type"));
        Assert.False(durations["/health"].ContainsKey("client.aborted"));
        Assert.Equal(ActivityStatusCode.Unset, activity!.Status);
        Assert.Equal(true, activity.GetTagItem("client.aborted"));
        var left = Assert.Single(activity.Events, candidate => candidate.Name == "client.aborted");
        Assert.Equal(
            [new("cause", "client"), new("phase", "compute"), new("policy", "cancel"), new("outcome", "cancelled")], left.Tags);
    }

    [Fact]
    public async Task Feature_AfterTheRequest_KeepsItsVerdict()
    {
        var features = new List<IClientAbortFeature>();
        var started = new Barrier();
        var ended = new Barrier();
        await using var host = await KestrelTestHost.StartAsync(app =>
        {
            app.UseEndBarrier("/slow", ended);
            app.UseClientAbortTolerance();
            app.MapGet("/quick", (HttpContext context) => features.Add(context.Features.GetRequiredFeature<IClientAbortFeature>()));
            app.MapGet("/slow", async (HttpContext context, CancellationToken aborted) =>
            {
                features.Add(context.Features.GetRequiredFeature<IClientAbortFeature>());
                started.Open();
                await AbortTestApp.UntilAsync(aborted);
            });
        });
        await using (var client = await RawHttpClient.ConnectAsync(host.Address))
        {
            await client.SendGetAsync("/quick");
            await client.ReadUntilAsync("\r\n\r\n");
            await client.SendGetAsync("/slow");
            await started.PassedAsync();
            client.Leave(Departure.Fin);
            await ended.PassedAsync();
        }

        await host.StopAsync();

        Assert.Equal((false, ClientAbortCause.Unknown), (features[0].IsAborted, features[0].Cause));
        Assert.False(features[0].ClientAborted.IsCancellationRequested);
        Assert.Equal((true, ClientAbortCause.Client, ClientAbortPhase.Compute), (features[1].IsAborted, features[1].Cause, features[1].Phase));
    }
}
