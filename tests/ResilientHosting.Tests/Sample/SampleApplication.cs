using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Sample;

/// <summary>
/// The sample on a real Kestrel, with a data folder and a clock of its own. Its slow parts stand still until a test moves the clock.
/// </summary>
public sealed class SampleApplication : WebApplicationFactory<Program>
{
    // No round times: a test recognises these waits by their length.
    public static readonly TimeSpan ReportTime = TimeSpan.FromSeconds(11.2);
    public static readonly TimeSpan PaymentTime = TimeSpan.FromSeconds(3.7);

    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("sample-");
    private readonly LogCollector _logs = new();
    private readonly string? _connectionString;
    private long _seen;

    private SampleApplication(string? connectionString)
    {
        _connectionString = connectionString;
        UseKestrel(0);
    }

    public SignallingClock Clock { get; } = new();

    public LogSignal ResendWaits { get; } = new("ResendWaits");

    public HttpClient Client { get; private set; } = null!;

    public static SampleApplication Start(string? connectionString = null)
    {
        var application = new SampleApplication(connectionString);
        application.StartServer();
        application.Client = application.CreateClient();
        application.Client.Timeout = KestrelTestHost.Timeout;
        return application;
    }

    public Task<RawHttpClient> ConnectAsync() => RawHttpClient.ConnectAsync(Client.BaseAddress!);

    public async Task<JsonElement> GetAsync(string path) =>
        await Client.GetFromJsonAsync<JsonElement>(path, TestContext.Current.CancellationToken);

    public Task<HttpResponseMessage> PostAsync(string path, object body) =>
        Client.PostAsJsonAsync(path, body, TestContext.Current.CancellationToken);

    public async Task<JsonElement> PlaceAsync(string customer, string item = "Lamp", int quantity = 2, decimal unitPrice = 1.25m)
    {
        using var response = await PostAsync("/orders", new { customer, item, quantity, unitPrice });
        response.EnsureSuccessStatusCode();
        return await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
    }

    /// <summary>Waits until the application's activity, which is a long poll, tells of the given thing, and returns its detail.</summary>
    public async Task<string> WaitForActivityAsync(string subject, string outcome, string detailPart = "")
    {
        while (true)
        {
            foreach (var entry in (await GetAsync($"/activity?after={_seen}")).EnumerateArray())
            {
                _seen = entry.GetProperty("number").GetInt64();
                var detail = entry.GetProperty("detail").GetString()!;
                if (entry.GetProperty("subject").GetString() == subject
                    && entry.GetProperty("outcome").GetString() == outcome
                    && detail.Contains(detailPart, StringComparison.Ordinal))
                {
                    return detail;
                }
            }
        }
    }

    /// <summary>The files in a subfolder of the data folder, none if there is no such folder.</summary>
    public string[] FilesIn(string folder)
    {
        var path = Path.Combine(_data.FullName, folder);
        return Directory.Exists(path) ? Directory.GetFiles(path) : [];
    }

    public override async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await base.DisposeAsync();
        SqliteConnection.ClearAllPools();
        _data.Delete(recursive: true);
        _logs.AssertQuiet();
    }

    protected override void ConfigureWebHost(IWebHostBuilder builder)
    {
        builder.UseSetting("DataFolder", _data.FullName);
        builder.UseSetting("ConnectionStrings:Orders", _connectionString ?? "");
        builder.UseSetting("Pace:Report", ReportTime.ToString());
        builder.UseSetting("Pace:Payment", PaymentTime.ToString());
        builder.ConfigureLogging(logging => logging.ClearProviders()
            .AddProvider(_logs).AddProvider(ResendWaits).AddFilter("ResilientHosting.Aborts", LogLevel.Debug));
        builder.ConfigureServices(services => services.Replace(ServiceDescriptor.Singleton<TimeProvider>(Clock)));
    }
}
