using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Aborts.Detect;

/// <summary>The test server reports aborts with other exceptions than Kestrel; the verdict has to be the same.</summary>
public sealed class TestServerAbortTests
{
    [Theory]
    [InlineData("/compute")]
    [InlineData("/body")]
    public async Task Abort_OnTheTestServer_IsQuietAndRecordedAsTheClients(string path)
    {
        using var logs = new LogCollector();
        var started = new Barrier();
        var ended = new Barrier();
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders().SetMinimumLevel(LogLevel.Debug).AddProvider(logs);
        builder.WebHost.UseTestServer();
        builder.Services.AddProblemDetails();
        await using var app = builder.Build();
        app.UseEndBarrier(path, ended);
        app.UseExceptionHandler();
        app.UseClientAbortTolerance();
        app.MapPost("/compute", async (CancellationToken aborted) =>
        {
            started.Open();
            await AbortTestApp.UntilAsync(aborted);
        });
        app.MapPost("/body", async (HttpContext context) =>
        {
            var read = context.Request.Body.CopyToAsync(Stream.Null);
            started.Open();
            await read;
        });
        await app.StartAsync(TestContext.Current.CancellationToken);
        using var leaving = new CancellationTokenSource();
        using var client = app.GetTestClient();

        var request = client.PostAsync(path, new EndlessContent(), leaving.Token);
        await started.PassedAsync();
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
        await ended.PassedAsync();
        await app.StopAsync(TestContext.Current.CancellationToken);

        logs.AssertQuiet();
        Assert.Contains("by Client;", logs.Only("ClientAborted").Message, StringComparison.Ordinal);
    }
}
