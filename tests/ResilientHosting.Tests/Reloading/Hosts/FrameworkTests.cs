using System.Net;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading.Hosts;

/// <summary>What frameworks keep besides code: connections, settings, files, models. Edits of code are in <see cref="HostMatrixTests"/>.</summary>
[Collection(nameof(HostApps))]
public sealed class FrameworkTests(HostApps.Built apps, FrameworkTests.Running running) : IClassFixture<FrameworkTests.Running>
{
    private const char RecordSeparator = '\u001e';

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private ReloadableApp App => running.App;

    [Fact]
    public async Task SignalR_HubEdited_ClientIsCutAndItsNextConnectionReachesTheNewHub()
    {
        using var before = await ConnectAsync("/chat", "json");
        Assert.Contains("hub: v1 hello", await InvokeAsync(before), StringComparison.Ordinal);

        var line = await App.ExpectAsync("-> generation", () => apps.Site.Replace("Hubs/Chat.cs", "hub: v1", "hub: v2"));

        // A client that is connected is cut, or told to go: it never holds the reload up.
        Assert.DoesNotContain("left behind", line, StringComparison.Ordinal);
        await AssertEndsAsync(before);
        using var after = await ConnectAsync("/chat", "json");
        Assert.Contains("hub: v2 hello", await InvokeAsync(after), StringComparison.Ordinal);
    }

    [Fact]
    public async Task SignalR_LongPolling_DuringASwap_EndsByItself()
    {
        using var negotiated = await App.Client.PostAsync("/chat/negotiate?negotiateVersion=1", null, Token);
        using var document = JsonDocument.Parse(await negotiated.Content.ReadAsStringAsync(Token));
        var path = "/chat?id=" + document.RootElement.GetProperty("connectionToken").GetString();
        (await App.Client.GetAsync(path, Token)).EnsureSuccessStatusCode();
        (await App.Client.PostAsync(path, new StringContent("{\"protocol\":\"json\",\"version\":1}" + RecordSeparator), Token)).EnsureSuccessStatusCode();
        Assert.Equal("{}" + RecordSeparator, await App.GetAsync(path));
        var poll = App.Client.GetAsync(path, Token);

        var line = await App.ExpectAsync("-> generation", () => apps.Site.Write("Polled.cs", "namespace Site; public class Polled;"));

        // The hub's own connections end when its host stops: nothing has to be cut.
        Assert.DoesNotContain(" cut", line, StringComparison.Ordinal);
        using var answer = await poll.WaitAsync(ConsoleLines.Timeout, Token);
        Assert.True(answer.IsSuccessStatusCode);
        using var unknown = await App.Client.GetAsync(path, Token);
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
    }

    [Fact]
    public async Task BlazorServer_ComponentEdited_CircuitIsCutAndTheNextConnectionIsAccepted()
    {
        using var before = await ConnectAsync("/_blazor", "blazorpack");

        await App.ReloadAsync(() => apps.Site.Replace("Components/Counter.razor", "interactive: v", "interactive, edited: v"));

        await AssertEndsAsync(before);
        using var after = await ConnectAsync("/_blazor", "blazorpack");
        Assert.Contains("interactive, edited: v1, 0", await App.GetAsync("/shelves"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task OptionsMonitor_SettingsEdited_FollowsInLaterGenerationsWithoutAReload()
    {
        var generation = await App.ReloadAsync(() => apps.Site.Replace("Controllers/HomeController.cs", "action: ", "action, edited: "));

        apps.Site.Replace("appsettings.json", "settings: v1", "settings: v2");
        using var limit = new CancellationTokenSource(ConsoleLines.Timeout);
        while (await App.Client.GetStringAsync("/options/next?after=settings: v1", limit.Token) != "settings: v2")
        {
        }

        using var response = await App.Client.GetAsync("/options", Token);
        Assert.Equal($"{generation}", Assert.Single(response.Headers.GetValues(ReloadableApp.Generation)));
    }

    [Fact]
    public async Task UserSecretsAndStaticFiles_InALaterGeneration_AreThere()
    {
        await App.ReloadAsync(() => apps.Site.Replace("Pages/Terms.cshtml", "page: ", "page, edited: "));

        Assert.Equal("kept", await App.GetAsync("/secret"));
        Assert.StartsWith("body {", await App.GetAsync("/site.css"), StringComparison.Ordinal);
        Assert.StartsWith("p {", await App.GetAsync("/_content/Catalog/catalog.css"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task OpenApi_EndpointAdded_IsInTheDocument()
    {
        await App.ReloadAsync(() => apps.Site.Replace("Program.cs", "app.Run();", "app.MapGet(\"/added\", () => \"\");\napp.Run();"));

        var document = JsonDocument.Parse(await App.GetAsync("/openapi/v1.json"));

        Assert.True(document.RootElement.GetProperty("paths").TryGetProperty("/added", out _));
    }

    [Fact]
    public async Task EntityFramework_ModelEdited_IsBuiltAgain()
    {
        Assert.Equal("article: v1", await App.GetAsync("/articles"));

        // The column stays, the property has another name: the old model would ask for what is no more.
        await App.ReloadAsync(() => apps.Site.Write("Data/Shop.cs", File.ReadAllText(apps.Site.PathOf("Data/Shop.cs"))
            .Replace("public required string Name", "[System.ComponentModel.DataAnnotations.Schema.Column(\"Name\")] public required string Title", StringComparison.Ordinal)
            .Replace("{ Name = \"article: v1\" }", "{ Title = \"article: v2\" }", StringComparison.Ordinal)
            .Replace("article.Name", "article.Title", StringComparison.Ordinal)));

        Assert.Equal("article: v2", await App.GetAsync("/articles"));
    }

    private async Task<ClientWebSocket> ConnectAsync(string path, string protocol)
    {
        var socket = new ClientWebSocket();
        await socket.ConnectAsync(new UriBuilder(App.Address) { Scheme = "ws", Path = path }.Uri, Token);
        await SendAsync(socket, JsonSerializer.Serialize(new { protocol, version = 1 }));
        Assert.Equal("{}" + RecordSeparator, await ReceiveAsync(socket));
        return socket;
    }

    private static async Task<string> InvokeAsync(ClientWebSocket socket)
    {
        await SendAsync(socket, """{"type":1,"invocationId":"1","target":"Say","arguments":["hello"]}""");
        while (true)
        {
            var message = await ReceiveAsync(socket);
            if (message.Contains("\"invocationId\":\"1\"", StringComparison.Ordinal))
            {
                return message;
            }
        }
    }

    private static Task SendAsync(ClientWebSocket socket, string record) =>
        socket.SendAsync(Encoding.UTF8.GetBytes(record + RecordSeparator), WebSocketMessageType.Text, endOfMessage: true, Token);

    private static async Task<string> ReceiveAsync(ClientWebSocket socket)
    {
        var buffer = new byte[16 * 1024];
        var result = await socket.ReceiveAsync(buffer, Token).WaitAsync(ConsoleLines.Timeout, Token);
        return Encoding.UTF8.GetString(buffer, 0, result.Count);
    }

    /// <summary>Reads on until the server has closed the connection, with or without saying so.</summary>
    private static async Task AssertEndsAsync(ClientWebSocket socket)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            while ((await socket.ReceiveAsync(buffer, Token).WaitAsync(ConsoleLines.Timeout, Token)).MessageType != WebSocketMessageType.Close)
            {
            }
        }
        catch (WebSocketException e)
        {
            Assert.Equal(WebSocketError.ConnectionClosedPrematurely, e.WebSocketErrorCode);
        }
    }

    public sealed class Running(HostApps.Built apps) : IAsyncLifetime
    {
        private readonly TemporaryFolder _secrets = new();
        private ReloadableApp? _app;

        public ReloadableApp App => _app ?? throw new InvalidOperationException("Not started.");

        public async ValueTask InitializeAsync()
        {
            _secrets.Write("Microsoft/UserSecrets/resilient-hosting-site/secrets.json", """{ "Secret": "kept" }""");
            _app = await ReloadableApp.RunAsync(
                apps.Site, new Dictionary<string, string> { ["APPDATA"] = _secrets.Path }, apps.DatabaseArgument);
        }

        public async ValueTask DisposeAsync()
        {
            if (_app is not null)
            {
                await _app.DisposeAsync();
            }

            _secrets.Dispose();
        }
    }
}
