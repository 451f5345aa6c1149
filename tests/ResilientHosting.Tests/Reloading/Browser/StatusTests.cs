using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

/// <summary>What scripts and agents see of a reloader at work.</summary>
[Collection(nameof(BrowserProcesses))]
public sealed class StatusTests(ReloadableProject project, SharedApp shared) : IClassFixture<SharedApp>, IAsyncLifetime
{
    private const string Broken = "edited\" + ;";

    private ReloadableApp App => shared.App;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await App.ResetAsync(project);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Edit_ThenWait_AnswersOnceTheEditIsServed()
    {
        var before = await App.GetGenerationAsync();

        project.EditGreeting("original", "waited for");
        using var answer = await App.Client.GetAsync(string.Create(CultureInfo.InvariantCulture, $"/_dev/wait?after={before}&timeout=120"), Token);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("waited for", await App.GetAsync("/"));
        var last = (await answer.Content.ReadFromJsonAsync<JsonElement>(Token)).GetProperty("history").EnumerateArray().Last();
        Assert.Contains("Program.cs", last.GetProperty("reason").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task EditWithAnError_ThenWait_TellsTheError_AndAnswersCarryItUntilItIsMended()
    {
        var status = await App.Client.GetFromJsonAsync<JsonElement>("/_dev/status", Token);
        var attempt = status.GetProperty("attempt").GetInt32();

        project.EditGreeting("original", Broken);
        using var failed = await App.Client.GetAsync(string.Create(CultureInfo.InvariantCulture, $"/_dev/wait?attempt={attempt}&timeout=120"), Token);

        Assert.Equal(HttpStatusCode.Conflict, failed.StatusCode);
        var failure = (await failed.Content.ReadFromJsonAsync<JsonElement>(Token)).GetProperty("failure");
        Assert.All(failure.GetProperty("diagnostics").EnumerateArray(), error => Assert.Equal(project.PathOf("Program.cs"), error.GetProperty("file").GetString()));
        using (var served = await App.Client.GetAsync("/", Token))
        {
            Assert.Equal("original", await served.Content.ReadAsStringAsync(Token));
            Assert.Contains("Program.cs(", Assert.Single(served.Headers.GetValues("X-Dev-Error")), StringComparison.Ordinal);
        }

        await App.ReloadAsync(() => project.EditGreeting(Broken, "mended"));
        using var mended = await App.Client.GetAsync("/", Token);
        Assert.False(mended.Headers.Contains("X-Dev-Error"));
        Assert.Equal(JsonValueKind.Null, (await App.Client.GetFromJsonAsync<JsonElement>("/_dev/status", Token)).GetProperty("failure").ValueKind);
    }

    [Fact]
    public async Task Reload_AskedForWithTheToken_IsDone_AndWithoutItIsNot()
    {
        var before = await App.GetGenerationAsync();
        using (var refused = await App.Client.PostAsync("/_dev/reload", null, Token))
        {
            Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        }

        var status = await App.Client.GetFromJsonAsync<JsonElement>("/_dev/status", Token);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/_dev/reload") { Headers = { { "X-Dev-Token", status.GetProperty("token").GetString() } } };
        using var accepted = await App.Client.SendAsync(request, Token);
        Assert.Equal(HttpStatusCode.Accepted, accepted.StatusCode);
        using var answer = await App.Client.GetAsync(string.Create(CultureInfo.InvariantCulture, $"/_dev/wait?after={before}&timeout=120"), Token);

        Assert.Equal(before + 1, await App.GetGenerationAsync());
    }

    [Fact]
    public async Task ForeignHost_IsRefused()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/_dev/status") { Headers = { Host = "attacker.example" } };
        using var answer = await App.Client.SendAsync(request, Token);

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.DoesNotContain("token", await answer.Content.ReadAsStringAsync(Token), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Events_AcrossReloads_NeverHoldThemUp_AndComeFromTheNextServerAfterEach()
    {
        foreach (var (from, to) in ((string, string)[])[("original", "first"), ("first", "second")])
        {
            // Its answer closes the connection, if that is one to an earlier server.
            await App.GetGenerationAsync();
            using var stream = await App.Client.GetAsync("/_dev/events", HttpCompletionOption.ResponseHeadersRead, Token);
            using var events = new StreamReader(await stream.Content.ReadAsStreamAsync(Token));
            var line = "";
            while (!line.Contains("data: ", StringComparison.Ordinal))
            {
                line = await events.ReadLineAsync(Token).AsTask().WaitAsync(ConsoleLines.Timeout, Token) ?? throw new EndOfStreamException();
            }

            Assert.Contains("\"phase\":\"watching\"", line, StringComparison.Ordinal);

            var said = await App.ExpectAsync("-> generation", () => project.EditGreeting(from, to));
            var rest = await events.ReadToEndAsync(Token).WaitAsync(ConsoleLines.Timeout, Token);

            Assert.DoesNotContain(" cut", said, StringComparison.Ordinal);
            Assert.Contains($"\"generation\":{await App.GetGenerationAsync()},\"phase\":\"watching\"", rest, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task EventFile_HasALineForEachReload()
    {
        var file = project.PathOf("reloads.jsonl");
        try
        {
            await using var app = await ReloadableApp.StartAsync(project, "--DevReloader:EventFile=reloads.jsonl");
            await app.ReloadAsync(() => project.EditGreeting("original", "one"));
            await app.ExpectAsync("keeps serving", () => project.EditGreeting("one", Broken));
            using var answer = await app.Client.GetAsync("/_dev/status", Token);

            var lines = await File.ReadAllLinesAsync(file, Token);
            Assert.Equal([true, false], lines.Select(line => JsonDocument.Parse(line).RootElement.GetProperty("succeeded").GetBoolean()));
        }
        finally
        {
            File.Delete(file);
        }
    }
}
