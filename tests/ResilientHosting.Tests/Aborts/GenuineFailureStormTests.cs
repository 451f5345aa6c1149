using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Aborts;

/// <summary>Many requests fail for reasons of their own, some before their client leaves and some afterwards. Not one may be hidden.</summary>
public sealed class GenuineFailureStormTests
{
    private const int Failures = 200;
    private const int Concurrency = 16;

    private static readonly Func<string, Exception>[] Kinds =
    [
        message => new InvalidOperationException(message),
        message => new InvalidDataException(message, new FormatException()),
        message => new IOException(message, unchecked((int)0x80070070)),
        message => new TaskCanceledException(message, new TimeoutException()),
    ];

    public static TheoryData<Protocol, Departure, bool> Cells()
    {
        var cells = new TheoryData<Protocol, Departure, bool>();
        foreach (var protocol in Enum.GetValues<Protocol>())
        {
            foreach (var departure in protocol.Departures)
            {
                cells.Add(protocol, departure, false);
                cells.Add(protocol, departure, true);
            }
        }

        return cells;
    }

    [Theory]
    [MemberData(nameof(Cells))]
    public async Task Storm_OfFailures_EachIsLoggedAsErrorWithItsStack(Protocol protocol, Departure departure, bool afterAbort)
    {
        var testApp = new AbortTestApp();
        await using var host = await testApp.StartAsync(Pipeline.InsideExceptionHandler, "Production", protocol, app =>
        {
            app.MapGet("/before", (HttpContext context) => Throw(context));
            app.MapGet("/after", async (HttpContext context, CancellationToken aborted) =>
            {
                await AbortTestApp.SignalledAsync(aborted);
                Throw(context);
            });
        });
        host.Logs.Expect("UnhandledException").Expect("FailureAfterClientAbort");

        await Parallel.ForAsync(0, Failures, new ParallelOptions { MaxDegreeOfParallelism = Concurrency }, async (number, _) =>
        {
            var id = $"{number}";
            await using var client = await LeavingClient.ConnectAsync(host.Address, protocol);
            await client.SendGetAsync($"{(afterAbort ? "/after" : "/before")}?id={id}");
            await (afterAbort ? testApp.Gates.ArrivedAsync(id) : testApp.Gates.EndedAsync(id));
            await client.LeaveAsync(departure);
            await testApp.Gates.EndedAsync(id);
        });
        Assert.Equal("healthy", await host.Client.GetStringAsync("/health", TestContext.Current.CancellationToken));
        await host.StopAsync();

        var errors = host.Logs.Lines.Where(line => line.Level >= LogLevel.Error).ToList();
        Assert.All(errors, line => Assert.Contains(nameof(Throw), line.Exception?.StackTrace, StringComparison.Ordinal));
        Assert.Equal(
            Enumerable.Range(0, Failures).Select(MessageOf).Order(),
            errors.Select(line => line.Exception!.Message).Order());
    }

    private static void Throw(HttpContext context)
    {
        var number = int.Parse(RequestGates.IdOf(context), System.Globalization.CultureInfo.InvariantCulture);
        throw Kinds[number % Kinds.Length](MessageOf(number));
    }

    private static string MessageOf(int number) => $"genuine failure {number}";
}
