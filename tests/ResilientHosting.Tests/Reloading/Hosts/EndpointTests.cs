using System.Globalization;
using System.Net;
using System.Net.Sockets;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading.Hosts;

/// <summary>Every kind of endpoint that Kestrel has over sockets outlives its generation, with the connections that lead to it.</summary>
[Collection(nameof(HostApps))]
public sealed class EndpointTests(HostApps.Built apps)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task EndpointsConfiguredInCode_AcrossReloads_StayWhereTheyAre()
    {
        var socket = apps.PathOf("app.sock");
        await using var app = await StartAsync("--Socket=" + socket);
        var addresses = app.AddressesSince(0);
        var clients = Clients(addresses, socket);

        for (var version = 2; version <= 3; version++)
        {
            foreach (var client in clients)
            {
                Assert.Equal($"body: v{version - 1}", await client.GetStringAsync("/", Token));
            }

            var (mark, edited) = (app.Console.Count, version);
            await app.ReloadAsync(() => apps.Endpoints.Replace("Program.cs", $"body: v{edited - 1}", $"body: v{edited}"));
            Assert.Equal(addresses, app.AddressesSince(mark));
        }

        // First over the connections that an older generation accepted, then over new ones.
        foreach (var client in clients.Concat(Clients(addresses, socket)))
        {
            Assert.Equal("body: v3", await client.GetStringAsync("/", Token));
            using var echo = await client.PostAsync("/echo", new StringContent("posted"), Token);
            Assert.Equal("posted", await echo.Content.ReadAsStringAsync(Token));
            client.Dispose();
        }

        // The whole program is run again, its exit code included.
        await app.SignalAsync("TERM", int.Parse(await app.GetAsync("/pid"), CultureInfo.InvariantCulture));
        Assert.Equal(7, await app.WaitForExitAsync());
        Assert.False(File.Exists(socket));
    }

    [Fact]
    public async Task EndpointEdited_NextGeneration_BindsTheNewAndReleasesTheOld()
    {
        var (first, second) = (ServerProgram.FreePort(), ServerProgram.FreePort());
        await using var app = await StartAsync(string.Create(CultureInfo.InvariantCulture, $"--Port={first}"));
        Assert.Equal("body: v1", await app.GetAsync("/"));

        await app.ReloadAsync(() => apps.Endpoints.Replace(
            "Program.cs", "builder.Configuration.GetValue<int>(\"Port\")", second.ToString(CultureInfo.InvariantCulture)));

        using var client = new HttpClient();
        Assert.Equal("body: v1", await client.GetStringAsync(new Uri($"http://127.0.0.1:{second}/"), Token));
        using var released = new TcpListener(IPAddress.Loopback, first) { ExclusiveAddressUse = true };
        released.Start();
    }

    [Fact]
    public async Task HttpsFromConfiguration_AcrossAReload_KeepsPortAndCertificate()
    {
        var environment = new Dictionary<string, string>(HostApps.Built.HostingStartup)
        {
            ["Kestrel__Endpoints__Secure__Url"] = "https://127.0.0.1:0",
            ["Kestrel__Endpoints__Secure__Certificate__Path"] = apps.CertificatePath,
        };
        await using var app = await ReloadableApp.RunAsync(apps.Minimal, environment);
        using var client = SecureClient(app.Address.OriginalString, HttpVersion.Version20);
        Assert.Equal("body: v1", await client.GetStringAsync("/", Token));

        await app.ReloadAsync(() => apps.Minimal.Replace("Program.cs", "body: v1", "body: v2"));

        Assert.Equal("body: v2", await client.GetStringAsync("/", Token));
        using var fresh = SecureClient(app.Address.OriginalString, HttpVersion.Version11);
        Assert.Equal("body: v2", await fresh.GetStringAsync("/", Token));
        Assert.Single(app.AddressesSince(0).Distinct());
    }

    private Task<ReloadableApp> StartAsync(string argument) =>
        ReloadableApp.RunAsync(apps.Endpoints, null, "--Certificate=" + apps.CertificatePath, argument);

    /// <summary>One client for each endpoint: clear text, HTTP/2 in clear text, TLS with either version, a Unix socket.</summary>
    private static HttpClient[] Clients(string[] addresses, string socket) =>
    [
        new() { BaseAddress = new Uri(addresses[0]), Timeout = ConsoleLines.Timeout },
        Versioned(new HttpClient { BaseAddress = new Uri(addresses[1]), Timeout = ConsoleLines.Timeout }, HttpVersion.Version20),
        SecureClient(addresses[2], HttpVersion.Version11),
        SecureClient(addresses[2], HttpVersion.Version20),
        new(new SocketsHttpHandler { ConnectCallback = (_, cancellation) => ConnectAsync(socket, cancellation) })
        {
            BaseAddress = new Uri("http://localhost"),
            Timeout = ConsoleLines.Timeout,
        },
    ];

    private static HttpClient SecureClient(string address, Version version) => Versioned(
        new HttpClient(new SocketsHttpHandler { SslOptions = TestCertificate.Trust() })
        {
            BaseAddress = new Uri(address),
            Timeout = ConsoleLines.Timeout,
        },
        version);

    private static HttpClient Versioned(HttpClient client, Version version)
    {
        client.DefaultRequestVersion = version;
        client.DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        return client;
    }

    private static async ValueTask<Stream> ConnectAsync(string path, CancellationToken cancellation)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation);
        return new NetworkStream(socket, ownsSocket: true);
    }
}
