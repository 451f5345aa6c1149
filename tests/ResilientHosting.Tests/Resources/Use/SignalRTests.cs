using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection;
using ResilientHosting.Resources;

namespace ResilientHosting.Tests.Resources;

/// <summary>Every call of a hub's method is a scope that knows how the method has ended.</summary>
public sealed class SignalRTests : IAsyncDisposable
{
    private readonly Ledger _ledger = new();
    private readonly HubState _state = new();
    private ResourceTestHost? _host;

    public static TheoryData<Server> Servers => [Server.Kestrel, Server.TestServer];

    [Theory, MemberData(nameof(Servers))]
    public async Task Method_Returns_HasSucceeded(Server server)
    {
        await using var connection = await ConnectAsync(server);

        Assert.Equal("hub LedgerHub.Work", (string?)(await connection.InvokeAsync("Work"))["result"]);

        var outcome = await _ledger.NextOutcomeAsync();
        Assert.Equal((ScopeOutcomeKind.Succeeded, null, true), (outcome.Kind, outcome.StatusCode, outcome.ShouldCommit));
    }

    [Theory, MemberData(nameof(Servers))]
    public async Task Method_Throws_HasFaulted(Server server)
    {
        await using var connection = await ConnectAsync(server);
        _host!.Logs.Expect("FailedInvokingHubMethod");

        Assert.NotNull((await connection.InvokeAsync("Fail"))["error"]);

        var outcome = await _ledger.NextOutcomeAsync();
        Assert.Equal((ScopeOutcomeKind.Faulted, "hub"), (outcome.Kind, outcome.Exception?.Message));
    }

    [Theory, MemberData(nameof(Servers))]
    public async Task Method_ItsClientLeaves_IsAborted(Server server)
    {
        await using var connection = await ConnectAsync(server);
        _host!.Logs.Expect("FailedInvokingHubMethod");
        await connection.SendInvocationAsync("Hang");
        await _state.Hanging.Task.Bounded();

        connection.Abort();

        Assert.Equal(ScopeOutcomeKind.Aborted, (await _ledger.NextOutcomeAsync()).Kind);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ReleaseAfterHandler_IsTornDownBeforeTheResultIsSent(bool byResource)
    {
        await using var connection = await ConnectAsync(Server.Kestrel, byResource, hub: hub =>
        {
            if (!byResource)
            {
                hub.ReleaseResourcesAfterHandler();
            }
        });

        Assert.Equal("+Alpha -Alpha", (string?)(await connection.InvokeAsync("Tell"))["result"]!["events"]);
    }

    [Fact]
    public async Task ReleaseAfterHandler_TeardownFails_IsTheCallsError()
    {
        await using var connection = await ConnectAsync(
            Server.Kestrel,
            services: services => services
                .AddRequestScopedResource<Gamma>((_, _) => new(new Gamma()), (_, _) => throw new HubException("no commit"))
                .ReleaseAfterHandler());
        _host!.Logs.Expect("FailedInvokingHubMethod");

        var completion = await connection.InvokeAsync("WorkWithGamma");

        Assert.EndsWith("no commit", (string?)completion["error"]);
        var rest = await _ledger.NextOutcomeAsync();
        Assert.Equal((ScopeOutcomeKind.Faulted, "no commit"), (rest.Kind, rest.Exception?.Message));
    }

    [Theory]
    [InlineData("Stream")]
    [InlineData("Channel")]
    public async Task Method_Streams_KeepsTheResourceAndNobodyCallsItASuccess(string method)
    {
        await using var connection = await ConnectAsync(Server.Kestrel, afterHandler: true);

        var (items, completion) = await connection.StreamAsync(method);

        Assert.Equal((2, null), (items, (string?)completion["error"]));
        Assert.Equal(ScopeOutcomeKind.Abandoned, (await _ledger.NextOutcomeAsync()).Kind);
        _host!.Logs.Only("ReleasePromoted");
    }

    [Theory, MemberData(nameof(Servers))]
    public async Task ConnectionBeginsAndEnds_EachIsAScope(Server server)
    {
        _state.UseOnConnection = true;
        await using (await ConnectAsync(server))
        {
            Assert.Equal(ScopeOutcomeKind.Succeeded, (await _ledger.NextOutcomeAsync()).Kind);
        }

        Assert.Equal(ScopeOutcomeKind.Succeeded, (await _ledger.NextOutcomeAsync()).Kind);
        Assert.Equal(["hub LedgerHub.OnConnectedAsync", "hub LedgerHub.OnDisconnectedAsync"], _state.Scopes);
    }

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
        {
            await _host.DisposeAsync();
        }

        _ledger.AssertBalanced();
    }

    private async Task<HubConnection> ConnectAsync(
        Server server, bool afterHandler = false, Action<IServiceCollection>? services = null, Action<HubEndpointConventionBuilder>? hub = null)
    {
        _host = await ResourceTestHost.StartAsync(
            server,
            collection =>
            {
                collection.AddSignalR();
                collection.AddSingleton(_ledger).AddSingleton(_state);
                var alpha = collection.AddRequestScopedResource(
                    (context, _) =>
                    {
                        _state.Scopes.Add(context.ScopeName);
                        return ValueTask.FromResult(_ledger.Create<Alpha>());
                    },
                    _ledger.TearDown);
                if (afterHandler)
                {
                    alpha.ReleaseAfterHandler();
                }

                services?.Invoke(collection);
            },
            app =>
            {
                var mapped = app.MapHub<LedgerHub>("/hub");
                hub?.Invoke(mapped);
            });
        return await HubConnection.OpenAsync(_host, "/hub");
    }

    public sealed class HubState
    {
        public TaskCompletionSource Hanging { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public List<string> Scopes { get; } = [];

        public bool UseOnConnection { get; set; }
    }

    public sealed class LedgerHub(IRequestResource<Alpha> alpha, Ledger ledger, HubState state) : Hub
    {
        public override async Task OnConnectedAsync()
        {
            if (state.UseOnConnection)
            {
                await alpha.GetAsync(Context.ConnectionAborted);
            }
        }

        public override async Task OnDisconnectedAsync(Exception? exception)
        {
            if (state.UseOnConnection)
            {
                await alpha.GetAsync(CancellationToken.None);
            }
        }

        public async Task<string> Work()
        {
            await alpha.GetAsync(Context.ConnectionAborted);
            return state.Scopes[^1];
        }

        public async Task<LedgerAnswer> Tell()
        {
            await alpha.GetAsync(Context.ConnectionAborted);
            return new LedgerAnswer(ledger);
        }

        public async Task<string> WorkWithGamma(IRequestResource<Gamma> gamma)
        {
            await alpha.GetAsync(Context.ConnectionAborted);
            await gamma.GetAsync(Context.ConnectionAborted);
            return "unsaid";
        }

        public async Task Fail()
        {
            await alpha.GetAsync(Context.ConnectionAborted);
            throw new InvalidOperationException("hub");
        }

        public async Task Hang()
        {
            await alpha.GetAsync(Context.ConnectionAborted);
            state.Hanging.SetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, Context.ConnectionAborted);
        }

        public async Task<IAsyncEnumerable<int>> Stream()
        {
            return ReadAsync(await alpha.GetAsync(Context.ConnectionAborted));

            static async IAsyncEnumerable<int> ReadAsync(Alpha used)
            {
                for (var i = 0; i < 2; i++)
                {
                    await Task.Yield();
                    Assert.Equal(0, used.Teardowns);
                    yield return i;
                }
            }
        }

        public async Task<ChannelReader<int>> Channel()
        {
            var used = await alpha.GetAsync(Context.ConnectionAborted);
            var channel = System.Threading.Channels.Channel.CreateBounded<int>(2);
            channel.Writer.TryWrite(used.Teardowns);
            channel.Writer.TryWrite(used.Teardowns);
            channel.Writer.Complete();
            return channel.Reader;
        }
    }
}
