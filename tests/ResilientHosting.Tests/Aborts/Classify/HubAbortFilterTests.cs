using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ResilientHosting.Tests.Infrastructure;
using ResilientHosting.Tests.Resources;

namespace ResilientHosting.Tests.Aborts.Classify;

/// <summary>A client leaves while its hub is at work for it.</summary>
public sealed class HubAbortFilterTests : IDisposable
{
    private readonly HubGates _gates = new();
    private readonly LogSignal _judged = new("HubMethodCancelled", "FailedInvokingHubMethod");

    public void Dispose() => _judged.Dispose();

    [Theory]
    [InlineData("Wait")]
    [InlineData("WaitWrapped")]
    [InlineData("WaitForQuery")]
    public async Task Method_CancelledByTheConnectionsEnd_IsQuiet(string method)
    {
        await using var host = await StartAsync();

        await LeaveDuringAsync(host, method);

        await host.StopAsync();
        host.Logs.AssertQuiet();
    }

    [Theory]
    [InlineData("OnConnectedAsync")]
    [InlineData("OnDisconnectedAsync")]
    public async Task Lifetime_CancelledByTheConnectionsEnd_IsQuiet(string method)
    {
        _gates.CancelledIn = method;
        await using var host = await StartAsync();

        await LeaveDuringAsync(host, method == "OnConnectedAsync" ? null : "Wait");

        await host.StopAsync();
        host.Logs.AssertQuiet();
        Assert.Contains(host.Logs.Lines, line =>
            line.Event.Name == "HubMethodCancelled" && line.Message.StartsWith($"GateHub.{method} ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("FailAfterEnd", "FailedInvokingHubMethod")]
    [InlineData("TimeOutAfterEnd", "FailedInvokingHubMethod")]
    public async Task Method_FailsForAReasonOfItsOwn_IsStillAnError(string method, string eventName)
    {
        await using var host = await StartAsync();

        await LeaveDuringAsync(host, method);

        await host.StopAsync();
        Assert.Equal("genuine", host.Logs.Expect(eventName).Only(eventName).Exception?.Message);
    }

    [Fact]
    public async Task Method_CancelledWhileTheClientStays_IsStillAnError()
    {
        await using var host = await StartAsync();
        await using var connection = await HubConnection.OpenAsync(host.Address, "/hub");

        Assert.NotNull((await connection.InvokeAsync("CancelItself"))["error"]);

        Assert.Equal(LogLevel.Error, host.Logs.Expect("FailedInvokingHubMethod").Only("FailedInvokingHubMethod").Level);
    }

    private async Task LeaveDuringAsync(KestrelTestHost host, string? method)
    {
        await using (var connection = await HubConnection.OpenAsync(host.Address, "/hub"))
        {
            if (method is not null)
            {
                await connection.SendInvocationAsync(method);
            }

            await _gates.Started.PassedAsync();
            connection.Abort();
        }

        await _judged.SeenAsync();
    }

    private Task<KestrelTestHost> StartAsync() => KestrelTestHost.StartAsync(
        app =>
        {
            app.UseClientAbortTolerance();
            app.MapHub<GateHub>("/hub");
        },
        builder =>
        {
            // The call ends some time after its connection, so its last log line is what to wait for.
            builder.Logging.AddProvider(_judged);
            builder.Services.AddSingleton(_gates);
            builder.Services.AddSignalR();
            builder.Services.AddClientAbortTolerance();
        });
}

public sealed class HubGates
{
    public Barrier Started { get; } = new();

    public string? CancelledIn { get; set; }
}

public sealed class GateHub(HubGates gates) : Hub
{
    public override Task OnConnectedAsync() => gates.CancelledIn == nameof(OnConnectedAsync) ? Wait() : Task.CompletedTask;

    public override Task OnDisconnectedAsync(Exception? exception) =>
        gates.CancelledIn == nameof(OnDisconnectedAsync) ? Wait() : Task.CompletedTask;

    public async Task Wait()
    {
        gates.Started.Open();
        await AbortTestApp.UntilAsync(Context.ConnectionAborted);
    }

    public async Task WaitWrapped()
    {
        try
        {
            await Wait();
        }
        catch (OperationCanceledException exception)
        {
            throw new InvalidOperationException("cancelled", exception);
        }
    }

    public async Task WaitForQuery()
    {
        await EndAsync();
        throw new CancelledQueryException();
    }

    public async Task FailAfterEnd()
    {
        await EndAsync();
        throw new InvalidOperationException("genuine");
    }

    public async Task TimeOutAfterEnd()
    {
        await EndAsync();
        throw new TaskCanceledException("genuine", new TimeoutException());
    }

    public Task CancelItself() =>
        gates.CancelledIn is null ? throw new OperationCanceledException("genuine") : Task.CompletedTask;

    private Task EndAsync()
    {
        gates.Started.Open();
        return AbortTestApp.SignalledAsync(Context.ConnectionAborted);
    }
}
