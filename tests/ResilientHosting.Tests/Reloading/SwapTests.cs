using System.Globalization;
using System.Net;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

/// <summary>What clients see while one generation takes the place of another.</summary>
[Collection(nameof(ReloaderProcesses))]
public sealed class SwapTests(ReloadableProject project, SharedApp shared) : IClassFixture<SharedApp>, IAsyncLifetime
{
    private const int MaxRequests = 50_000;

    private ReloadableApp App => shared.App;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await App.ResetAsync(project);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task ConcurrentClients_DuringSixSwaps_SeeNoFailure()
    {
        using var enough = new CancellationTokenSource();
        var clients = Enumerable.Range(0, 6)
            .Select(number => Task.Run(() => number % 2 == 0 ? GetAsync(enough.Token) : PostAsync(number, enough.Token), Token))
            .ToArray();

        var greeting = "original";
        for (var edit = 1; edit <= 6; edit++)
        {
            await App.ReloadAsync(() => project.EditGreeting(greeting, greeting = $"edit {edit}"));
        }

        await enough.CancelAsync();
        foreach (var client in clients)
        {
            var (requests, generations) = await client.WaitAsync(ConsoleLines.Timeout, Token);
            Assert.InRange(requests, 7, MaxRequests);
            Assert.True(generations >= 6, $"A client that was served by {generations} generations had no request under way at each swap.");
        }
    }

    [Fact]
    public async Task RequestInside_DuringASwap_IsFinishedByItsOwnGeneration()
    {
        var before = await App.GetGenerationAsync();
        await using var client = await RawHttpClient.ConnectAsync(App.Address);
        await client.SendAsync("POST /echo HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 100", await client.ReadUntilAsync("\r\n\r\n"), StringComparison.Ordinal);

        var mark = App.Console.Count;
        await App.ExpectAsync("application: stopping", () => project.EditGreeting("original", "edited"));
        await client.SendAsync("0123456789");
        var answer = await client.ReadUntilAsync("0123456789");

        Assert.StartsWith("HTTP/1.1 200", answer, StringComparison.Ordinal);
        Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"{ReloadableApp.Generation}: {before}\r\n"), answer, StringComparison.Ordinal);
        Assert.DoesNotContain(" cut", await App.Console.WaitForAsync("-> generation", mark), StringComparison.Ordinal);

        // The connection belongs to the retired server. It still serves, by the new generation, and asks its client to move over.
        await client.SendGetAsync("/");
        var next = await client.ReadUntilAsync("edited");
        Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"{ReloadableApp.Generation}: {before + 1}\r\n"), next, StringComparison.Ordinal);
        Assert.Contains("Connection: close\r\n", next, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RequestsBetweenGenerations_OnOldAndNewConnections_AreHeldAndServedByTheNext()
    {
        var before = await App.GetGenerationAsync();
        using var gate = new StartGate();
        await using var known = await RawHttpClient.ConnectAsync(App.Address);
        await known.SendGetAsync("/");
        await known.ReadUntilAsync("original");
        var mark = App.Console.Count;
        project.Write("Program.cs", (await File.ReadAllTextAsync(project.PathOf("Program.cs"), Token))
            .Replace("var builder", gate.Statement + "var builder", StringComparison.Ordinal)
            .Replace("\"original\"", "\"from the next\"", StringComparison.Ordinal));

        using (await gate.ReachedAsync())
        {
            await known.SendGetAsync("/");
            await using var leaving = await RawHttpClient.ConnectAsync(App.Address);
            await leaving.SendGetAsync("/");
            leaving.Leave(Departure.Rst);
        }

        await using var fresh = await RawHttpClient.ConnectAsync(App.Address);
        await fresh.SendGetAsync("/");

        foreach (var client in new[] { known, fresh })
        {
            var answer = await client.ReadUntilAsync("from the next");
            Assert.StartsWith("HTTP/1.1 200", answer, StringComparison.Ordinal);
            Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"{ReloadableApp.Generation}: {before + 1}\r\n"), answer, StringComparison.Ordinal);
        }

        await App.Console.WaitForAsync(string.Create(CultureInfo.InvariantCulture, $"-> generation {before + 1} "), mark);
    }

    [Fact]
    public async Task SecondEdit_WhileTheFirstIsStarting_IsServedAfterwards()
    {
        using var gate = new StartGate();
        project.InsertAtStart(gate.Statement);
        var mark = App.Console.Count;
        using (await gate.ReachedAsync())
        {
            project.Restore();
            project.EditGreeting("original", "second");
        }

        await App.Console.WaitForAsync("-> generation", mark);
        mark = App.Console.Count;
        if (await App.GetAsync("/") != "second")
        {
            await App.Console.WaitForAsync("-> generation", mark);
        }

        Assert.Equal("second", await App.GetAsync("/"));
    }

    private async Task<(int Requests, int Generations)> GetAsync(CancellationToken enough)
    {
        using var client = App.CreateClient();
        var generations = new HashSet<string>();
        var requests = 0;
        while (!enough.IsCancellationRequested && requests < MaxRequests)
        {
            using var response = await client.GetAsync("/", Token);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.NotEqual("", await response.Content.ReadAsStringAsync(Token));
            generations.Add(Assert.Single(response.Headers.GetValues(ReloadableApp.Generation)));
            requests++;
        }

        return (requests, generations.Count);
    }

    private async Task<(int Requests, int Generations)> PostAsync(int number, CancellationToken enough)
    {
        using var client = App.CreateClient();
        var generations = new HashSet<string>();
        var requests = 0;
        while (!enough.IsCancellationRequested && requests < MaxRequests)
        {
            var text = string.Create(CultureInfo.InvariantCulture, $"client {number}, request {requests}");
            using var response = await client.PostAsync("/echo", new StringContent(text), Token);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Equal(text, await response.Content.ReadAsStringAsync(Token));
            generations.Add(Assert.Single(response.Headers.GetValues(ReloadableApp.Generation)));
            requests++;
        }

        return (requests, generations.Count);
    }
}
