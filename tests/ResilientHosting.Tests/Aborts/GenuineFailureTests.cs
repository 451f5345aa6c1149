using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Aborts;

/// <summary>What the tolerance must never hide.</summary>
public sealed class GenuineFailureTests
{
    private static readonly Dictionary<string, Func<Exception>> Failures = new()
    {
        ["bug"] = () => new InvalidOperationException("genuine"),
        ["wrapped"] = () => new InvalidDataException("genuine", new FormatException()),
        ["disk"] = () => new IOException("genuine", unchecked((int)0x80070070)),
        ["timeout"] = () => new TaskCanceledException("genuine", new TimeoutException()),
    };

    public static TheoryData<string, Pipeline, string, bool> Cells()
    {
        var cells = new TheoryData<string, Pipeline, string, bool>();
        foreach (var failure in Failures.Keys)
        {
            foreach (var pipeline in Enum.GetValues<Pipeline>())
            {
                foreach (var afterAbort in new[] { false, true })
                {
                    // An exception handler inside the tolerance takes these two for the abort before anybody can object.
                    if (!afterAbort || pipeline != Pipeline.OutsideExceptionHandler || failure is "bug" or "wrapped")
                    {
                        cells.Add(failure, pipeline, "Production", afterAbort);
                        cells.Add(failure, pipeline, "Development", afterAbort);
                    }
                }
            }
        }

        return cells;
    }

    [Theory]
    [MemberData(nameof(Cells))]
    public async Task Failure_BeforeOrAfterAnAbort_IsLoggedAsErrorWithItsStack(
        string failure, Pipeline pipeline, string environment, bool afterAbort)
    {
        var started = new Barrier();
        var ended = new Barrier();
        var host = await StartAsync(failure, pipeline, environment, afterAbort, started, ended);
        if (afterAbort)
        {
            await using var client = await RawHttpClient.ConnectAsync(host.Address);
            await client.SendGetAsync("/");
            await started.PassedAsync();
            client.Leave(Departure.Rst);
            await ended.PassedAsync();
        }
        else
        {
            var answer = await host.Client.GetAsync("/", TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.InternalServerError, answer.StatusCode);
        }

        await host.StopAsync();

        var errors = host.Logs.Lines.Where(line => line.Level >= LogLevel.Error).ToList();
        var error = Assert.Single(errors);
        Assert.Equal("genuine", error.Exception?.Message);
        Assert.Contains(nameof(Throw), error.Exception?.StackTrace, StringComparison.Ordinal);
        Assert.Equal(afterAbort ? 1 : 0, host.Logs.Lines.Count(line => line.Event.Name == "ClientAborted"));
    }

    private static Task<KestrelTestHost> StartAsync(
        string failure, Pipeline pipeline, string environment, bool afterAbort, Barrier started, Barrier ended) => KestrelTestHost.StartAsync(
        app =>
        {
            app.UseEndBarrier("/", ended);
            AbortTestApp.UsePipeline(app, pipeline);
            app.MapGet("/", async (CancellationToken aborted) =>
            {
                if (afterAbort)
                {
                    started.Open();
                    await AbortTestApp.SignalledAsync(aborted);
                }

                Throw(Failures[failure]());
            });
        },
        builder => builder.Services.AddClientAbortTolerance().AddProblemDetails(),
        environment);

    private static void Throw(Exception exception) => throw exception;
}
